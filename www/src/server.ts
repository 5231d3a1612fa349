import type { Files } from "./project.js";

/** The address in the sources of the examples. */
export const OF_EXAMPLES = "ws://127.0.0.1:8080";
/** What stands for the server of the page in what is kept or shared, wherever that is: no script means it by itself. */
const ANYWHERE = "ws://playground.invalid";
/** Of the server that is inside of the page. */
const INSIDE = "ws://loopback";

/** How long the page waits for the answer whether there is a server. A missing file answers at once. */
const MAX_WAIT_MS = 5_000;

/** The server that the examples talk to: the one that serves the page, or one that is inside of it. */
export class Server {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  /** Asks whether the page is served with one. */
  static async find(): Promise<Server> {
    try {
      const answer = await fetch("./services.json", { signal: AbortSignal.timeout(MAX_WAIT_MS) });
      const { server } = (await answer.json()) as { server: boolean };
      if (server) {
        return new Server(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`);
      }
    } catch {
      // Without an answer there is no server either.
    }
    return new Server(INSIDE);
  }

  get isInside(): boolean {
    return this.#address === INSIDE;
  }

  /** An example as it is to be shown. */
  ofExample(files: Files): Files {
    return replaced(files, OF_EXAMPLES, this.#address);
  }

  /** Files as they are to be kept or shared. */
  toKeep(files: Files): Files {
    return replaced(files, this.#address, ANYWHERE);
  }

  /** Files that were kept or shared, as they are to be shown. */
  toShow(files: Files): Files {
    return replaced(files, ANYWHERE, this.#address);
  }
}

function replaced([first, ...others]: Files, from: string, to: string): Files {
  // Not where it goes on, as with another port.
  const address = new RegExp(`${from.replaceAll(".", "\\.")}(?![\\w:-]|\\.\\w)`, "g");
  const file = ({ name, source }: Files[0]) => ({ name, source: source.replace(address, () => to) });
  return [file(first), ...others.map(file)];
}
