import { type Files, fromHash, fromText, toHash, toText } from "./project.js";
import type { Server } from "./server.js";
import { keep, kept, keptNames, ofTab } from "./storage.js";

/** How long after a change it is kept, in milliseconds. */
const KEEP_AFTER = 300;

/** Which script a tab shows. */
const SHOWN = "shown";

/** Under which names scripts are kept. */
const PREFIX = "script:";

/** A script of the visitor's own. */
export interface Own {
  readonly id: string;
  readonly files: Files;
  readonly changed: Date;
}

/** What a workspace is made with. */
export interface WorkspaceOptions {
  /** What is shown to who has nothing yet. */
  readonly initial: Files;
  readonly server: Server;
  /** Whether the page is inside of another one: what is written there is not kept, and nothing is shown by itself. */
  readonly isEmbedded: boolean;
  /** Called when the browser does not keep the files any more. */
  onFull(): void;
}

/**
 * The files that are being worked on, and what is kept of them. What the visitor wrote is never lost to an example, a link or another
 * tab: each script is kept by itself until the visitor deletes it, in the page alone where the browser does not keep it.
 */
export class Workspace {
  readonly #options: WorkspaceOptions;
  #files: Files;
  /** Which script of the visitor's own is shown: none, while it is an example or that of a link. */
  #own: string | undefined;
  /** What was kept of it when this tab read or wrote it last. */
  #known: string | undefined;
  /** Those that the browser does not keep. */
  readonly #unkept = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
    this.#files = options.server.ofExample(options.initial);
    const own = options.isEmbedded ? undefined : (this.#read(ofTab.get(SHOWN) ?? "") ?? this.#all()[0]);
    if (own !== undefined) {
      this.openOwn(own.id);
    }
    // The page may be closed before the time is over.
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

  /** The scripts of the visitor's own that are not shown now, the one that was changed last first. */
  get own(): Own[] {
    this.#keepNow();
    return this.#all().filter(({ id }) => id !== this.#own);
  }

  /** Shows files that the visitor did not write, as they come from an example. */
  openExample(files: Files): void {
    this.#open(this.#options.server.ofExample(files));
  }

  /**
   * Shows the files of a link.
   *
   * @returns whether they are a script of the visitor's own, just as it was shared
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

  /** Goes back to a script of the visitor's own, as it is kept now. */
  openOwn(id: string): void {
    this.#keepNow();
    const own = this.#read(id);
    if (own !== undefined) {
      this.#own = id;
      this.#known = kept(PREFIX + id);
      this.#files = this.#options.server.toShow(own.files);
      ofTab.set(SHOWN, id);
    }
  }

  /** Deletes a script of the visitor's own that is not shown. */
  deleteOwn(id: string): void {
    this.#unkept.delete(id);
    keep(PREFIX + id, undefined);
  }

  /** The visitor changed the files. From now on they are a script of the visitor's own. */
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
    this.#timer = setTimeout(() => this.#keepNow(), KEEP_AFTER);
  }

  /** The part of a link after the address; undefined where the files are too large for one. */
  toHash(): Promise<string | undefined> {
    return toHash(this.#options.server.toKeep(this.#files));
  }

  #begin(): void {
    // Not by randomUUID, which pages have only where they come by https or from this machine.
    this.#own = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.#known = undefined;
  }

  #keepNow(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (this.#own === undefined || kept(PREFIX + this.#own) !== this.#known) {
        // Another tab has changed the same script, or deleted it: from here on there are two.
        this.#begin();
      }
      const text = toText(this.#options.server.toKeep(this.#files));
      this.#unkept.set(this.#own ?? "", JSON.stringify({ changed: Date.now(), text }));
    }
    // There may be room again for those of before.
    for (const [id, text] of this.#unkept) {
      if (keep(PREFIX + id, text)) {
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
    const names = keptNames(PREFIX).map((name) => name.slice(PREFIX.length));
    return [...new Set([...names, ...this.#unkept.keys()])]
      .map((id) => this.#read(id))
      .filter((own) => own !== undefined)
      .sort((one, other) => other.changed.getTime() - one.changed.getTime());
  }

  #read(id: string): Own | undefined {
    const text = this.#unkept.get(id) ?? kept(PREFIX + id);
    if (text === undefined) {
      return undefined;
    }
    try {
      const data = JSON.parse(text);
      return { id, files: fromText(data.text), changed: new Date(data.changed) };
    } catch {
      // Of another version, or damaged: it stays where it is, for that version.
      return undefined;
    }
  }
}

/** The files of the link with which the page was opened; see {@link fromHash}. */
export function linked(): Promise<Files | undefined> {
  return fromHash(location.hash);
}
