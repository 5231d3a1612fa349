import type { Files } from "./project.js";

/** The server address in the sources of the examples. */
export const OF_EXAMPLES = "ws://127.0.0.1:8080";
/** A placeholder for the page's server in stored and shared files. No real script uses it. */
const ANYWHERE = "ws://playground.invalid";
/** The address of the server inside the page. */
const INSIDE = "ws://loopback";

/** The longest wait for an answer about the server, in milliseconds. A missing file is reported at once. */
const MAX_WAIT_MS = 5_000;

/** The server that the examples talk to: the one that serves the page, or one inside the page. */
export class Server {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  /** Finds out if the page is served by such a server. */
  static async find(): Promise<Server> {
    try {
      const answer = await fetch("./services.json", { signal: AbortSignal.timeout(MAX_WAIT_MS) });
      const { server } = (await answer.json()) as { server: boolean };
      if (server) {
        return new Server(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`);
      }
    } catch {
      // No answer means no server.
    }
    return new Server(INSIDE);
  }

  get isInside(): boolean {
    return this.#address === INSIDE;
  }

  /** Returns an example with the address of this server. */
  ofExample(files: Files): Files {
    return replaced(files, OF_EXAMPLES, this.#address);
  }

  /** Returns files with the placeholder, for storing or sharing. */
  toKeep(files: Files): Files {
    return replaced(files, this.#address, ANYWHERE);
  }

  /** Returns stored or shared files with the address of this server. */
  toShow(files: Files): Files {
    return replaced(files, ANYWHERE, this.#address);
  }
}

function replaced([first, ...others]: Files, from: string, to: string): Files {
  // Skips longer addresses, such as those with another port.
  const address = new RegExp(`${from.replaceAll(".", "\\.")}(?![\\w:-]|\\.\\w)`, "g");
  const file = ({ name, source }: Files[0]) => ({ name, source: source.replace(address, () => to) });
  return [file(first), ...others.map(file)];
}
