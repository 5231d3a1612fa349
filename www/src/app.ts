// The playground: its files, the editor, the runs and their output.

import type { LuauError } from "luau-websocket";
import { Diagnostics } from "./diagnostics.js";
import { Editor } from "./editor/editor.js";
import { DeferredInspector } from "./inspector/deferred-inspector.js";
import { OutputPanel } from "./output/output.js";
import { type Files, nameProblem } from "./project.js";
import { Runner } from "./runner.js";
import { OUTDATED_NOTICE, Sharing } from "./sharing.js";
import { askName } from "./shell/dialogs.js";
import { element } from "./shell/elements.js";
import { Layout } from "./shell/layout.js";
import { showNotice } from "./shell/notice.js";
import { Tabs } from "./shell/tabs.js";
import { showAlive, showChecking, showState } from "./status.js";
import type { Place } from "./types.js";
import type { Workspace } from "./workspace.js";

/** Connects the parts of the page. */
export class App {
  readonly sharing: Sharing;
  readonly #workspace: Workspace;
  readonly #layout = new Layout();
  readonly #output: OutputPanel;
  readonly #inspector: DeferredInspector;
  readonly #editor: Editor;
  readonly #tabs: Tabs;
  readonly #diagnostics: Diagnostics;
  /** The name of the file in the editor. */
  #currentFile: string;
  /** Undefined until the WebAssembly module is loaded. */
  #runner: Runner | undefined;
  /** True if the user requested a run, with the keyboard, before the module was loaded. */
  #isRunPending = false;

  constructor(workspace: Workspace, isEmbedded: boolean) {
    this.#workspace = workspace;
    this.#currentFile = workspace.files[0].name;
    this.sharing = new Sharing(workspace, isEmbedded, () => {
      this.showAll();
      this.#editor.focus();
    });
    this.#output = new OutputPanel(element("output", HTMLElement), {
      onPlace: (place) => this.#goTo(place),
      isChunk: (name) => this.#names().includes(name),
    });
    this.#inspector = new DeferredInspector(element("sockets", HTMLElement), {
      send: (id, data) => this.#runner?.send(id, data),
      close: (id) => this.#runner?.close(id),
    });
    this.#diagnostics = new Diagnostics({
      workspace,
      editor: () => this.#editor,
      onState: showChecking,
    });
    this.#editor = new Editor(element("editor", HTMLElement), {
      onChange: (name, source) => {
        this.#change(workspace.files.map((file) => (file.name === name ? { name, source } : file)));
        this.#diagnostics.schedule(name);
      },
      onRun: () => void this.run(),
      fileNames: () => this.#names(),
      hover: (place) => this.#diagnostics.typeAt(place),
    });
    this.#tabs = new Tabs({
      onSelect: (name) => this.#show(name),
      onAdd: () => void this.#add(),
      onRename: (name) => void this.#rename(name),
      onRemove: (name) => this.#remove(name),
    });
  }

  /** Loads all files of the workspace into the editor, for example after the user chose an example. */
  showAll(): void {
    // The previous files may have been the reason for the checker's failures.
    this.#diagnostics.resetFailures();
    this.#editor.forgetAll();
    for (const { name, source } of this.#workspace.files) {
      this.#editor.replace(name, source);
    }
    this.#show(this.#workspace.files[0].name);
    this.#diagnostics.scheduleAll();
    this.sharing.updateFullLink();
  }

  focusEditor(): void {
    this.#editor.focus();
  }

  /** Shows the part of the page with the editor, and focuses it. */
  focusScript(): void {
    this.#layout.show("script");
    this.#editor.focus();
  }

  /** Checks the file in the editor, even if the type checker failed before. Must be called when the network is back. */
  retryChecking(): void {
    this.#diagnostics.resetFailures();
    this.#diagnostics.schedule(this.#currentFile);
  }

  /** Enables runs. */
  start(module: WebAssembly.Module): void {
    this.#runner = new Runner(module, {
      onOutput: (kind, text, values) => this.#output.write(kind, text, values),
      onError: (error, value) => this.#showError(error, value),
      onSocket: (event) => {
        this.#inspector.handle(event);
        this.#layout.setCount("sockets", this.#inspector.open);
      },
      onEnd: (reason) => {
        this.#inspector.end(reason);
        this.#layout.setCount("sockets", 0);
      },
      onState: (state) => {
        showState(state);
        if (state === "stopped") {
          this.#output.write("system", "stopped");
        }
      },
      onMissing: () => showNotice(OUTDATED_NOTICE, "page"),
      onAlive: showAlive,
    });
    this.#diagnostics.enableTypes();
  }

  /** Runs the script if the user requested that before {@link start}. */
  runIfPending(): void {
    if (this.#isRunPending) {
      void this.run();
    }
  }

  /** Loads the parts of the page that a first run does not need. */
  async loadRest(module: WebAssembly.Module): Promise<void> {
    const [{ SyntaxChecker }] = await Promise.all([
      import("./editor/syntax.js"),
      this.#editor.load(),
      this.#inspector.load().then(() => this.#layout.setCount("sockets", this.#inspector.open)),
    ]);
    this.#diagnostics.enableSyntax(new SyntaxChecker(module));
    this.#diagnostics.scheduleAll();
  }

  /** Runs the script, and stops the previous run. */
  async run(): Promise<void> {
    if (this.#runner === undefined) {
      this.#isRunPending = true;
      return;
    }
    this.#editor.clearMarks();
    this.#output.begin();
    this.#inspector.reset();
    this.#layout.setCount("sockets", 0);
    // A phone shows only one part at a time, and the user now wants to see the output.
    if (matchMedia("(max-width: 720px)").matches) {
      this.#layout.show("output");
    }
    await this.#runner.run(this.#workspace.files);
  }

  /** Stops the run. */
  stop(): void {
    void this.#runner?.stop();
  }

  #names(): string[] {
    return this.#workspace.files.map(({ name }) => name);
  }

  #show(name: string): void {
    const file = this.#workspace.files.find((file) => file.name === name) ?? this.#workspace.files[0];
    this.#currentFile = file.name;
    this.#editor.show(file.name, file.source);
    this.#tabs.show(this.#names(), this.#currentFile);
  }

  #change(files: readonly Files[0][]): void {
    const [main, ...others] = files;
    const before = this.#names().join();
    if (main !== undefined) {
      this.#workspace.change([main, ...others]);
    }
    if (this.#names().join() !== before) {
      // A required file may have appeared or disappeared.
      this.#diagnostics.scheduleAll();
    }
    this.sharing.clearLink();
  }

  async #add(): Promise<void> {
    const name = await askName("New file", "Create", "", (name) => nameProblem(name, this.#names()));
    if (name !== undefined) {
      const source = `local ${name.split("/").at(-1)?.replace(/\W/g, "_")} = {}\n\n`;
      this.#change([...this.#workspace.files, { name, source }]);
      this.#show(name);
      this.#editor.focus();
    }
  }

  async #rename(from: string): Promise<void> {
    const others = this.#names().filter((name) => name !== from);
    const to = await askName("Rename file", "Rename", from, (name) => nameProblem(name, others));
    if (to !== undefined && to !== from) {
      this.#change(
        this.#workspace.files.map(({ name, source }) => ({ name: name === from ? to : name, source })),
      );
      this.#editor.rename(from, to);
      this.#show(to);
      this.#diagnostics.schedule(to);
    }
  }

  #remove(name: string): void {
    const names = this.#names();
    const index = names.indexOf(name);
    const file = this.#workspace.files[index];
    // Empty files are removed without confirmation.
    if (index > 0 && (file?.source.trim() === "" || confirm(`Remove ${name}.luau? This cannot be undone.`))) {
      this.#change(this.#workspace.files.filter((file) => file.name !== name));
      this.#editor.forget(name);
      this.#show(name === this.#currentFile ? (names[index - 1] ?? this.#currentFile) : this.#currentFile);
    }
  }

  /** Shows the place in the script that an error or a line of output names. */
  #goTo(place: Place): void {
    if (this.#names().includes(place.chunkName)) {
      this.#layout.show("script");
      this.#show(place.chunkName);
      this.#editor.reveal(place);
    }
  }

  #showError(error: LuauError, value: unknown): void {
    const { message, frames, traceback } = error;
    const [first] = frames;
    if (value !== undefined && /^\w+: 0x[\da-f]+$/.test(message)) {
      // The content of a table says more than the address in the message.
      const where = first === undefined ? "" : `${first.chunkName}:${first.line}: `;
      this.#output.write("error", `${where}thrown:`, [value], frames.length > 1 ? traceback.trimEnd() : "");
    } else {
      // A traceback with a single place adds nothing if the message already names it.
      const isRedundant = frames.length === 1 && message.startsWith(`${first?.chunkName}:${first?.line}:`);
      this.#output.write("error", isRedundant ? message : `${message}\n${traceback}`.trimEnd());
    }
    this.#layout.markError("output");
    if (
      error.chunkName !== undefined &&
      error.line !== undefined &&
      this.#names().includes(error.chunkName)
    ) {
      this.#editor.markLines(error.chunkName, [error.line]);
    }
  }
}
