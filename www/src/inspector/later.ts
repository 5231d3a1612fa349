import type { SocketEvent } from "luau-websocket";
import type { SocketInspector, SocketInspectorOptions } from "./inspector.js";

/** The socket inspector, which is loaded once scripts can be run: what happens before it is there, it is told then. */
export class LaterInspector {
  readonly #make: (module: typeof import("./inspector.js")) => SocketInspector;
  #inspector: SocketInspector | undefined;
  #untold: ((inspector: SocketInspector) => void)[] = [];

  constructor(host: HTMLElement, options: SocketInspectorOptions) {
    this.#make = (module) => new module.SocketInspector(host, options);
  }

  /**
   * Loads it.
   *
   * @throws Error when that fails
   */
  async load(): Promise<void> {
    const inspector = this.#make(await import("./inspector.js"));
    this.#inspector = inspector;
    for (const tell of this.#untold.splice(0)) {
      tell(inspector);
    }
  }

  /** How many connections are open, as far as is known. */
  get open(): number {
    return this.#inspector?.open ?? 0;
  }

  handle(event: SocketEvent): void {
    this.#tell((inspector) => inspector.handle(event));
  }

  reset(): void {
    this.#untold = [];
    this.#inspector?.reset();
  }

  end(reason: string): void {
    this.#tell((inspector) => inspector.end(reason));
  }

  #tell(tell: (inspector: SocketInspector) => void): void {
    if (this.#inspector !== undefined) {
      tell(this.#inspector);
    } else {
      this.#untold.push(tell);
    }
  }
}
