import type { SocketEvent } from "luau-websocket";
import type { SocketInspector, SocketInspectorOptions } from "./inspector.js";

/** Loads the socket inspector lazily, once scripts can run. Earlier events are replayed when it is ready. */
export class DeferredInspector {
  readonly #make: (module: typeof import("./inspector.js")) => SocketInspector;
  #inspector: SocketInspector | undefined;
  #untold: ((inspector: SocketInspector) => void)[] = [];

  constructor(host: HTMLElement, options: SocketInspectorOptions) {
    this.#make = (module) => new module.SocketInspector(host, options);
  }

  /**
   * Loads the inspector.
   *
   * @throws Error if loading fails
   */
  async load(): Promise<void> {
    const inspector = this.#make(await import("./inspector.js"));
    this.#inspector = inspector;
    for (const notify of this.#untold.splice(0)) {
      notify(inspector);
    }
  }

  /** The number of open connections, as far as it is known. */
  get open(): number {
    return this.#inspector?.open ?? 0;
  }

  handle(event: SocketEvent): void {
    this.#notify((inspector) => inspector.handle(event));
  }

  reset(): void {
    this.#untold = [];
    this.#inspector?.reset();
  }

  end(reason: string): void {
    this.#notify((inspector) => inspector.end(reason));
  }

  #notify(notify: (inspector: SocketInspector) => void): void {
    if (this.#inspector !== undefined) {
      notify(this.#inspector);
    } else {
      this.#untold.push(notify);
    }
  }
}
