import { type Files, fromHash, fromText, toHash, toText } from "./project.js";
import type { Server } from "./server.js";
import { itemNames, loadItem, ofTab, saveItem } from "./storage.js";

/** The delay before a change is saved, in milliseconds. */
const SAVE_DELAY_MS = 300;

/** The key of the ID of the script that a tab shows. */
const SHOWN = "shown";

/** The prefix of the keys of stored scripts. */
const PREFIX = "script:";

/** A script that the user wrote. */
export interface Own {
  readonly id: string;
  readonly files: Files;
  readonly changed: Date;
}

/** The options of a workspace. */
export interface WorkspaceOptions {
  /** The files for a user who has none yet. */
  readonly initial: Files;
  readonly server: Server;
  /** True if the page is embedded in another one. Nothing is saved, and no earlier script is opened. */
  readonly isEmbedded: boolean;
  /** Called when the browser cannot save the files. */
  onFull(): void;
}

/**
 * The files being edited, and their saved copies. The user's work is never lost to an example, a link or another tab:
 * each script is saved separately until the user deletes it, or kept in the page if the browser cannot save it.
 */
export class Workspace {
  readonly #options: WorkspaceOptions;
  #files: Files;
  /** The ID of the shown script if it is the user's own; undefined for an example or a link. */
  #own: string | undefined;
  /** The stored text of that script when this tab last read or wrote it. */
  #known: string | undefined;
  /** The scripts that the browser could not save. */
  readonly #unkept = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
    this.#files = options.server.ofExample(options.initial);
    const own = options.isEmbedded ? undefined : (this.#read(ofTab.get(SHOWN) ?? "") ?? this.#all()[0]);
    if (own !== undefined) {
      this.openOwn(own.id);
    }
    // The page may be closed before the delay is over.
    window.addEventListener("pagehide", () => this.#keepNow());
    window.addEventListener("beforeunload", (event) => {
      this.#keepNow();
      if (this.#unkept.size > 0) {
        event.preventDefault();
      }
    });
  }

  get files(): Files {
    return this.#files;
  }

  /** The user's scripts except the shown one, the latest change first. */
  get own(): Own[] {
    this.#keepNow();
    return this.#all().filter(({ id }) => id !== this.#own);
  }

  /** Shows files of an example. */
  openExample(files: Files): void {
    this.#open(this.#options.server.ofExample(files));
  }

  /**
   * Shows the files of a link.
   *
   * @returns true if they are one of the user's own scripts, unchanged since it was shared
   */
  openLinked(files: Files): boolean {
    this.#keepNow();
    const text = toText(files);
    const own = this.#all().find((own) => toText(own.files) === text);
    if (own !== undefined) {
      this.openOwn(own.id);
      return true;
    }
    this.#open(this.#options.server.toShow(files));
    return false;
  }

  #open(files: Files): void {
    this.#keepNow();
    this.#own = undefined;
    this.#files = files;
  }

  /** Returns to one of the user's own scripts in its stored state. */
  openOwn(id: string): void {
    this.#keepNow();
    const own = this.#read(id);
    if (own !== undefined) {
      this.#own = id;
      this.#known = loadItem(PREFIX + id);
      this.#files = this.#options.server.toShow(own.files);
      ofTab.set(SHOWN, id);
    }
  }

  /** Deletes one of the user's own scripts that is not shown. */
  deleteOwn(id: string): void {
    this.#unkept.delete(id);
    saveItem(PREFIX + id, undefined);
  }

  /** Records a change by the user. From then on the files are a script of the user's own. */
  change(files: Files): void {
    if (this.#options.isEmbedded) {
      this.#files = files;
      return;
    }
    if (this.#own === undefined) {
      this.#begin();
    }
    this.#files = files;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keepNow(), SAVE_DELAY_MS);
  }

  /** Returns the hash of a link; undefined if the files are too large for one. */
  toHash(): Promise<string | undefined> {
    return toHash(this.#options.server.toKeep(this.#files));
  }

  #begin(): void {
    // Not randomUUID, which needs a secure context.
    this.#own = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.#known = undefined;
  }

  #keepNow(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (this.#own === undefined || loadItem(PREFIX + this.#own) !== this.#known) {
        // Another tab has changed or deleted the script, so this tab continues with a copy.
        this.#begin();
      }
      const text = toText(this.#options.server.toKeep(this.#files));
      this.#unkept.set(this.#own ?? "", JSON.stringify({ changed: Date.now(), text }));
    }
    // There may be room now for scripts that could not be saved before.
    for (const [id, text] of this.#unkept) {
      if (saveItem(PREFIX + id, text)) {
        this.#unkept.delete(id);
        if (id === this.#own) {
          this.#known = text;
          ofTab.set(SHOWN, id);
        }
      } else {
        this.#options.onFull();
      }
    }
  }

  #all(): Own[] {
    const names = itemNames(PREFIX).map((name) => name.slice(PREFIX.length));
    return [...new Set([...names, ...this.#unkept.keys()])]
      .map((id) => this.#read(id))
      .filter((own) => own !== undefined)
      .sort((one, other) => other.changed.getTime() - one.changed.getTime());
  }

  #read(id: string): Own | undefined {
    const text = this.#unkept.get(id) ?? loadItem(PREFIX + id);
    if (text === undefined) {
      return undefined;
    }
    try {
      const data = JSON.parse(text);
      return { id, files: fromText(data.text), changed: new Date(data.changed) };
    } catch {
      // Damaged, or of another version, which may need it: it stays in storage.
      return undefined;
    }
  }
}

/** Returns the files of the link that the page was opened with; see {@link fromHash}. */
export function loadLinkedFiles(): Promise<Files | undefined> {
  return fromHash(location.hash);
}
