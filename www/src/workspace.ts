import { type Files, fromHash, fromText, toHash, toText } from "./project.js";
import { keep, kept } from "./storage.js";

/** How long after a change it is kept, in milliseconds. */
const KEEP_AFTER = 300;

/** The address that stands in scripts that are kept or shared, in the place of that of the server that happens to be there. */
const ANY_SERVER = "ws://127.0.0.1:8080";

/** Where the files come from that are shown now. */
type Origin = "mine" | "other";

/** The files that are being worked on, and what is kept of them. What the visitor wrote is never lost to an example or a link. */
export class Workspace {
  readonly #server: string;
  readonly #onFull: () => void;
  #files: Files;
  #origin: Origin;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param server the address of the server that the examples are to use, without a path
   * @param onFull called when the browser does not keep the files any more
   */
  constructor(initial: Files, server: string, onFull: () => void) {
    this.#server = server;
    this.#onFull = onFull;
    this.#files = this.#shown(initial);
    this.#origin = "other";
    const mine = read("files");
    if (mine !== undefined) {
      this.#files = this.#shown(mine);
      this.#origin = "mine";
    }
    // The page may be closed before the time is over.
    window.addEventListener("pagehide", () => this.#keepNow());
  }

  get files(): Files {
    return this.#files;
  }

  /** Whether there is a script of the visitor's own to go back to. */
  get hasOwn(): boolean {
    return this.#origin === "other" && kept("files") !== undefined;
  }

  /** Shows files that the visitor did not write: an example, or those of a link. */
  open(files: Files): void {
    this.#keepNow();
    this.#files = this.#shown(files);
    this.#origin = "other";
  }

  /** Goes back to the visitor's own files. */
  openOwn(): void {
    const files = read("files");
    if (files !== undefined) {
      this.#files = this.#shown(files);
      this.#origin = "mine";
    }
  }

  /** The visitor changed the files. From now on they are the visitor's own; those before can be brought back once. */
  change(files: Files): void {
    if (this.#origin === "other") {
      keep("previous", kept("files"));
      this.#origin = "mine";
    }
    this.#files = files;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keepNow(), KEEP_AFTER);
  }

  /** Whether there are files that were the visitor's own before the present ones. */
  get hasPrevious(): boolean {
    return kept("previous") !== undefined;
  }

  /** Changes the present files for those that were the visitor's own before. */
  openPrevious(): void {
    this.#keepNow();
    const [previous, mine] = [kept("previous"), kept("files")];
    keep("files", previous);
    keep("previous", mine);
    this.openOwn();
  }

  /** The part of a link after the address. */
  toHash(): Promise<string> {
    return toHash(this.#plain());
  }

  #keepNow(): void {
    clearTimeout(this.#timer);
    if (this.#origin === "mine" && !keep("files", toText(this.#plain()))) {
      this.#onFull();
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

function read(name: string): Files | undefined {
  const text = kept(name);
  try {
    return text === undefined ? undefined : fromText(text);
  } catch {
    // Of another version, or damaged: it stays where it is until something else is kept.
    return undefined;
  }
}
