import { type Files, fromHash, fromText, toHash, toText } from "./project.js";
import { keep, kept, keptNames, ofTab } from "./storage.js";

/** How long after a change it is kept, in milliseconds. */
const KEEP_AFTER = 300;

/** So many scripts of a visitor are kept, those that were changed last. */
const MOST_KEPT = 20;

/** The address that stands in scripts that are kept or shared, in the place of that of the server that happens to be there. */
const ANY_SERVER = "ws://127.0.0.1:8080";

/** Under which names they are kept. */
const SCRIPT = "script:";
/** Which one a tab shows. */
const SHOWN = "shown";

/** A script of the visitor's own. */
export interface Own {
  readonly id: string;
  readonly files: Files;
  readonly changed: Date;
}

/** The files that are being worked on, and what is kept of them. What the visitor wrote is never lost to an example, a link or another tab. */
export class Workspace {
  readonly #server: string;
  readonly #onFull: () => void;
  #files: Files;
  /** Which script of the visitor's own is shown: none, while it is an example or that of a link. */
  #own: string | undefined;
  /** What was kept of it when this tab read or wrote it last. */
  #known: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param server the address of the server that the examples are to use, without a path
   * @param onFull called when the browser does not keep the files any more
   */
  constructor(initial: Files, server: string, onFull: () => void) {
    this.#server = server;
    this.#onFull = onFull;
    this.#files = this.#shown(initial);
    const own = read(ofTab.get(SHOWN) ?? "") ?? all()[0];
    if (own !== undefined) {
      this.openOwn(own);
    }
    // The page may be closed before the time is over.
    window.addEventListener("pagehide", () => this.#keepNow());
  }

  get files(): Files {
    return this.#files;
  }

  /** The scripts of the visitor's own that are not shown now, the one that was changed last first. */
  get own(): Own[] {
    this.#keepNow();
    return all().filter(({ id }) => id !== this.#own);
  }

  /** Shows files that the visitor did not write: an example, or those of a link. */
  open(files: Files): void {
    this.#keepNow();
    this.#own = undefined;
    this.#files = this.#shown(files);
  }

  /** Goes back to a script of the visitor's own. */
  openOwn({ id, files }: Own): void {
    this.#keepNow();
    this.#own = id;
    this.#known = kept(SCRIPT + id);
    this.#files = this.#shown(files);
    ofTab.set(SHOWN, id);
  }

  /** The visitor changed the files. From now on they are a script of the visitor's own. */
  change(files: Files): void {
    if (this.#own === undefined) {
      this.#begin();
    }
    this.#files = files;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keepNow(), KEEP_AFTER);
  }

  /** The part of a link after the address. */
  toHash(): Promise<string> {
    return toHash(this.#plain());
  }

  #begin(): void {
    this.#own = crypto.randomUUID();
    this.#known = undefined;
  }

  #keepNow(): void {
    if (this.#timer === undefined || this.#own === undefined) {
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (kept(SCRIPT + this.#own) !== this.#known) {
      // Another tab has changed the same script, or let go of it: from here on there are two.
      this.#begin();
    }
    const text = JSON.stringify({ changed: Date.now(), text: toText(this.#plain()) });
    if (!keep(SCRIPT + this.#own, text)) {
      this.#onFull();
      return;
    }
    this.#known = text;
    ofTab.set(SHOWN, this.#own);
    for (const { id } of all().slice(MOST_KEPT)) {
      keep(SCRIPT + id, undefined);
    }
  }

  #shown(files: Files): Files {
    return mapped(files, (source) => source.replaceAll(ANY_SERVER, this.#server));
  }

  #plain(): Files {
    return mapped(this.#files, (source) => source.replaceAll(this.#server, ANY_SERVER));
  }
}

/** The files of the link with which the page was opened; see {@link fromHash}. */
export function linked(): Promise<Files | undefined> {
  return fromHash(location.hash);
}

function mapped([first, ...others]: Files, change: (source: string) => string): Files {
  const file = ({ name, source }: Files[0]) => ({ name, source: change(source) });
  return [file(first), ...others.map(file)];
}

function all(): Own[] {
  const found = keptNames(SCRIPT).map((name) => read(name.slice(SCRIPT.length)));
  return found
    .filter((own) => own !== undefined)
    .sort((one, other) => other.changed.getTime() - one.changed.getTime());
}

function read(id: string): Own | undefined {
  const text = kept(SCRIPT + id);
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
