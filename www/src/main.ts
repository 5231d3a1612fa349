// The playground: puts the parts together.

import "./style.css";
import "./shell/shell.css";
import type { LuauError } from "luau-websocket";
import echo from "../examples/echo.luau?raw";
import { Checker, type CheckerState } from "./checker/client.js";
import { Editor } from "./editor/editor.js";
import type { SyntaxChecker } from "./editor/syntax.js";
import { LaterInspector } from "./inspector/later.js";
import { loadModule } from "./module.js";
import { OutputPanel } from "./output/output.js";
import { track } from "./pending.js";
import { type Files, nameProblem } from "./project.js";
import { type Alive, Runner, type RunState } from "./runner.js";
import { Server } from "./server.js";
import { askName, installDialogs, showExamples, showShare } from "./shell/dialogs.js";
import { element } from "./shell/elements.js";
import { Layout } from "./shell/layout.js";
import { forgetLink, installNotice, tell } from "./shell/notice.js";
import { Tabs } from "./shell/tabs.js";
import { installTheme } from "./shell/theme.js";
import type { Place } from "./types.js";
import { linked, Workspace } from "./workspace.js";

/** How long after a change of the script it is compiled, and its types are checked, in milliseconds. */
const COMPILE_AFTER = 150;
const CHECK_AFTER = 500;
/** How long after one the link to the whole playground is made anew. */
const LINK_AFTER = 100;

const status = element("status", HTMLElement);
const runButton = element("run", HTMLButtonElement);
const stopButton = element("stop", HTMLButtonElement);
const isEmbedded = "embed" in document.documentElement.dataset;

const progress = element("progress", HTMLProgressElement);
// First of all: everything else is small beside it, and some of that waits.
const loading = loadModule((loaded, total) => {
  progress.max = total;
  progress.value = loaded;
});
// It is told by who waits for it.
loading.catch(() => {});

installTheme();
installDialogs();
installNotice();
const layout = new Layout();

const server = await Server.find();
if (server.isInside) {
  element("server", HTMLElement).textContent = "Examples talk to a server inside this page";
}
const workspace = new Workspace({
  initial: [{ name: "main", source: echo }],
  server,
  isEmbedded,
  onFull: () =>
    tell(
      "The browser could not save your script: its storage is full or blocked. Delete old scripts under Examples, or download this one under Share.",
      "page",
    ),
});
await openLink();

let shown: string = workspace.files[0].name;
const names = () => workspace.files.map(({ name }) => name);

const output = new OutputPanel(element("output", HTMLElement), {
  onPlace: goTo,
  isChunk: (name) => names().includes(name),
});
const inspector = new LaterInspector(element("sockets", HTMLElement), {
  send: (id, data) => runner?.send(id, data),
  close: (id) => runner?.close(id),
});
const editor = new Editor(element("editor", HTMLElement), {
  onChange(name, source) {
    change(workspace.files.map((file) => (file.name === name ? { name, source } : file)));
    checkSoon(name);
  },
  onRun: () => void run(),
  fileNames: names,
  hover: (place) => checker.typeAt(place),
});
const tabs = new Tabs({
  onSelect: show,
  onAdd: () => void add(),
  onRename: (name) => void rename(name),
  onRemove: remove,
});
const checker = new Checker({ onState: showChecking });
/** None before the module is there. */
let runner: Runner | undefined;
/** Whether a run was asked for before that, by the keyboard. */
let isWanted = false;
/** It comes after the runner. */
let syntax: SyntaxChecker | undefined;

/** Shows a file. */
function show(name: string): void {
  const file = workspace.files.find((file) => file.name === name) ?? workspace.files[0];
  shown = file.name;
  editor.show(file.name, file.source);
  tabs.show(names(), shown);
}

/** Shows the files of the workspace anew, as after an example was chosen. */
function showAll(): void {
  const [main] = workspace.files;
  // What the checker failed on may have been in the files of before.
  checker.revive();
  editor.forgetAll();
  for (const { name, source } of workspace.files) {
    editor.replace(name, source);
  }
  show(main.name);
  for (const name of names()) {
    checkSoon(name);
  }
  linkSoon();
}

function change(files: readonly Files[0][]): void {
  const [main, ...others] = files;
  const before = names().join();
  if (main !== undefined) {
    workspace.change([main, ...others]);
  }
  if (names().join() !== before) {
    // What one requires may be there now, or not any more.
    for (const name of names()) {
      checkSoon(name);
    }
  }
  // The link does not say any more what is shown.
  forgetLink();
  if (location.hash !== "") {
    history.replaceState(null, "", location.pathname + location.search);
  }
  linkSoon();
}

/** The way from an embedded playground to the whole one takes the script along. */
function linkSoon(): void {
  if (isEmbedded) {
    soon("link", LINK_AFTER, async () => {
      element("full", HTMLAnchorElement).href = `./${(await workspace.toHash()) ?? ""}`;
    });
  }
}

async function add(): Promise<void> {
  const name = await askName("New file", "Create", "", (name) => nameProblem(name, names()));
  if (name !== undefined) {
    const source = `local ${name.split("/").at(-1)?.replace(/\W/g, "_")} = {}\n\n`;
    change([...workspace.files, { name, source }]);
    show(name);
    editor.focus();
  }
}

async function rename(from: string): Promise<void> {
  const others = names().filter((name) => name !== from);
  const to = await askName("Rename file", "Rename", from, (name) => nameProblem(name, others));
  if (to !== undefined && to !== from) {
    change(workspace.files.map(({ name, source }) => ({ name: name === from ? to : name, source })));
    editor.rename(from, to);
    show(to);
    checkSoon(to);
  }
}

function remove(name: string): void {
  const index = names().indexOf(name);
  const file = workspace.files[index];
  // Nothing is asked before nothing is lost.
  if (
    index > 0 &&
    (file?.source.trim() === "" || confirm(`Remove ${name}.luau? It cannot be brought back.`))
  ) {
    change(workspace.files.filter((file) => file.name !== name));
    editor.forget(name);
    show(name === shown ? (names()[index - 1] ?? shown) : shown);
  }
}

/** Cancels what {@link soon} is about to call, by its name. */
const cancels = new Map<string, () => void>();

/** Calls something a while after the last of many requests. */
function soon(what: string, milliseconds: number, call: () => Promise<void>): void {
  cancels.get(what)?.();
  const task = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => call().then(resolve, reject), milliseconds);
      cancels.set(what, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  void track(what, task);
}

function sourceOf(name: string): string | undefined {
  return workspace.files.find((file) => file.name === name)?.source;
}

function checkSoon(name: string): void {
  soon(`syntax of ${name}`, COMPILE_AFTER, async () => {
    const source = sourceOf(name);
    const found = source === undefined ? undefined : await syntax?.check(name, source);
    // What has changed meanwhile is asked for anew.
    if (found !== undefined && source === sourceOf(name)) {
      editor.setDiagnostics(name, "syntax", found);
    }
  });
  // What Run needs comes first: the checker is as large as all of it.
  if (runner === undefined) {
    return;
  }
  soon("types", CHECK_AFTER, async () => {
    const files = Object.fromEntries(workspace.files.map(({ name, source }) => [name, source]));
    const found = await checker.check(files);
    for (const [name, types] of Object.entries(found ?? {})) {
      if (files[name] === sourceOf(name)) {
        editor.setDiagnostics(name, "types", types);
      }
    }
  });
}

/** Goes to a place that an error or a line of output names. */
function goTo(place: Place): void {
  if (names().includes(place.chunkName)) {
    layout.show("script");
    show(place.chunkName);
    editor.reveal(place);
  }
}

async function run(): Promise<void> {
  if (runner === undefined) {
    isWanted = true;
    return;
  }
  editor.clearMarks();
  output.begin();
  inspector.reset();
  layout.count("sockets", 0);
  // On a phone what it puts out is what there is to see.
  if (matchMedia("(max-width: 720px)").matches) {
    layout.show("output");
  }
  await runner.run(workspace.files);
}

function showError(error: LuauError, value: unknown): void {
  const { message, frames, traceback } = error;
  const [first] = frames;
  if (value !== undefined && /^\w+: 0x[\da-f]+$/.test(message)) {
    // It says more than its address, with which it has come.
    const where = first === undefined ? "" : `${first.chunkName}:${first.line}: `;
    output.write("error", `${where}thrown:`, [value], frames.length > 1 ? traceback.trimEnd() : "");
  } else {
    // A traceback of the one place that the message names already says nothing.
    const isTold = frames.length === 1 && message.startsWith(`${first?.chunkName}:${first?.line}:`);
    output.write("error", isTold ? message : `${message}\n${traceback}`.trimEnd());
  }
  layout.tellError("output");
  if (error.chunkName !== undefined && error.line !== undefined && names().includes(error.chunkName)) {
    editor.markLines(error.chunkName, [error.line]);
  }
}

/** Shown when a file is missing that existed when the page was opened. */
const OUTDATED =
  "Could not load a part of the playground: it has been updated, or the network is down. Reload the page; your scripts are saved.";

const STATES: Readonly<Record<RunState, string>> = {
  starting: "Starting…",
  running: "Running",
  waiting: "Running in the background",
  finished: "Finished",
  failed: "Failed",
  stopping: "Stopping…",
  stopped: "Stopped",
};

function showState(state: RunState): void {
  status.textContent = STATES[state];
  status.dataset.state = state;
  const isOver = state === "finished" || state === "failed" || state === "stopped";
  // Not disabled, so that whoever pressed it with the keyboard stays there.
  stopButton.ariaDisabled = String(isOver || state === "stopping");
  runButton.textContent = isOver ? "Run" : "Run again";
  if (state === "stopped") {
    output.write("system", "stopped");
  }
}

function showAlive(alive: Alive | "busy" | undefined): void {
  const element_ = element("alive", HTMLElement);
  if (alive === undefined) {
    element_.textContent = "";
  } else if (alive === "busy") {
    element_.textContent = "computing";
  } else {
    const counts = [
      [alive.threads, "thread"],
      [alive.timers, "timer"],
      [alive.sockets, "socket"],
    ] as const;
    element_.textContent = counts
      .filter(([count]) => count > 0)
      .map(([count, name]) => `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`)
      .join(", ");
  }
}

const CHECKING: Readonly<Record<CheckerState, string>> = {
  loading: "Loading the type checker…",
  on: "Type checking is on",
  again: "Restarting the type checker…",
  off: "Type checking is off until the next change",
  over: "Type checking is off",
};

function showChecking(state: CheckerState, reason = ""): void {
  const checking = element("checking", HTMLElement);
  checking.textContent = `${CHECKING[state]}${reason === "" ? "" : `: ${reason}`}`;
  checking.dataset.state = state;
  if (state === "off" || state === "over") {
    editor.clearTypes();
  }
}

function choose(files: Files): void {
  workspace.openExample(files);
  forgetLink();
  showAll();
  editor.focus();
}

/** Takes the files of the link with which the page was opened. Returns whether there were any. */
async function openLink(): Promise<boolean> {
  try {
    const files = await linked();
    if (files === undefined) {
      return false;
    }
    if (!workspace.openLinked(files)) {
      const isThereMore = workspace.own.length > 0 && !isEmbedded;
      tell(
        isThereMore
          ? "This script came from the link. Your own script is under Examples, “My script”."
          : "This script came from the link.",
        "link",
      );
    }
    return true;
  } catch (error) {
    tell(`The link cannot be opened: ${(error as Error).message}.`, "link");
    return false;
  }
}

async function chooseExample(): Promise<void> {
  // They are not part of the first load.
  const examples = await import("./examples.js").catch(() => undefined);
  if (examples === undefined) {
    tell(OUTDATED, "page");
  }
  const own = workspace.own.map(({ id, files, changed }) => ({
    title: `My script of ${changed.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}`,
    description: beginning(files),
    choose() {
      workspace.openOwn(id);
      forgetLink();
      showAll();
      editor.focus();
    },
    remove: () => workspace.deleteOwn(id),
  }));
  showExamples([
    ...own,
    ...(examples?.EXAMPLES ?? []).map(({ title, description, files }) => ({
      title,
      description,
      choose: () => choose(files),
    })),
  ]);
}

/** How a script begins, to know it again. */
function beginning([main, ...others]: Files): string {
  const line = main.source.split("\n").find((line) => line.trim() !== "") ?? "empty";
  const more = others.length === 0 ? "" : ` (and ${others.map(({ name }) => name).join(", ")})`;
  return `${line.trim()}${more}`.slice(0, 100);
}

async function share(): Promise<void> {
  const hash = await workspace.toHash();
  if (hash === undefined) {
    showShare(workspace.files);
    return;
  }
  const here = new URL(location.href);
  here.search = "";
  here.hash = hash;
  const embedded = new URL(here);
  embedded.search = "?embed";
  showShare(workspace.files, {
    link: here.href,
    embed: `<iframe src="${embedded.href}" title="Luau playground" width="100%" height="480"></iframe>`,
  });
}

async function start(): Promise<void> {
  try {
    const module = await loading;
    runner = new Runner(module, {
      onOutput: (kind, text, values) => output.write(kind, text, values),
      onError: showError,
      onSocket(event) {
        inspector.handle(event);
        layout.count("sockets", inspector.open);
      },
      onEnd(reason) {
        inspector.end(reason);
        layout.count("sockets", 0);
      },
      onState: showState,
      onMissing: () => tell(OUTDATED, "page"),
      onAlive: showAlive,
    });
    runButton.disabled = false;
    status.textContent = "Ready";
    if (isWanted) {
      void run();
    }
  } catch (error) {
    status.textContent = `The VM could not be loaded: ${(error as Error).message}. Check the connection and reload the page.`;
    status.dataset.state = "failed";
  } finally {
    progress.hidden = true;
  }
}

/** Loads what a first run does not need. */
async function loadRest(): Promise<void> {
  const [{ SyntaxChecker }, module] = await Promise.all([
    import("./editor/syntax.js"),
    loading,
    editor.load(),
    inspector.load().then(() => layout.count("sockets", inspector.open)),
  ]);
  syntax = new SyntaxChecker(module);
  for (const name of names()) {
    checkSoon(name);
  }
}

runButton.addEventListener("click", () => void run());
stopButton.addEventListener("click", () => void runner?.stop());
element("examples", HTMLButtonElement).addEventListener("click", () => void chooseExample());
element("share", HTMLButtonElement).addEventListener("click", () => void share());
document.addEventListener("keydown", (event) => {
  if (event.key === "." && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    void runner?.stop();
  }
  // The editor has answered already when it has the focus. A message that is being written is not to be lost to a new run.
  const isElsewhere = (event.target as Element).closest?.("dialog, form, textarea") !== null;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented && !isElsewhere) {
    event.preventDefault();
    if (!event.repeat) {
      void run();
    }
  }
});
document.querySelector(".skip")?.addEventListener("click", (event) => {
  // Followed, it would take the place of a script in the address.
  event.preventDefault();
  layout.show("script");
  editor.focus();
});
window.addEventListener("hashchange", async () => {
  if (await openLink()) {
    showAll();
    editor.focus();
  }
});
window.addEventListener("online", () => {
  checker.revive();
  checkSoon(shown);
});
if (isEmbedded) {
  element("full", HTMLAnchorElement).hidden = false;
}
element("version", HTMLElement).textContent = `Luau ${import.meta.env.VITE_LUAU_VERSION}`;

showAll();
await start();
// Not before: what Run needs comes first.
if (runner !== undefined) {
  track("the rest", loadRest).catch(() => tell(OUTDATED, "page"));
}
if ("serviceWorker" in navigator && import.meta.env.PROD) {
  // After everything else, so that it takes nothing from the first load.
  setTimeout(() => {
    navigator.serviceWorker
      .register("./sw.js")
      .then(() => navigator.serviceWorker.ready)
      .then(({ active }) => active?.postMessage("keep the rest"))
      .catch(() => {});
  }, 2_000);
}
