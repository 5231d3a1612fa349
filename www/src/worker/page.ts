/** What the page asks of the worker of a run, beside what the package does. */
export type ByHand =
  | { readonly type: "send"; readonly id: number; readonly data: string | Uint8Array<ArrayBuffer> }
  | { readonly type: "close"; readonly id: number };

/** The worker of a run. */
export interface RunWorker {
  /** For the option `worker` of `LuauWorker`. */
  readonly worker: Worker;
  /** Sends over a connection of the script: `id` is that of its events. Does nothing when the connection is not open. */
  send(id: number, data: string | Uint8Array): void;
  /** Closes a connection of the script. Does nothing when the connection is not open. */
  close(id: number): void;
  /** Ends the worker, whatever it does. */
  end(): void;
}

/** Makes the worker of a run. */
export function makeWorker(): RunWorker {
  // A name of its own, so that no other tab of the playground is meant.
  const name = `run ${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
  const channel = new BroadcastChannel(name);
  const post = (message: ByHand) => channel.postMessage(message);
  // In this very form bundlers find the file.
  const worker = new Worker(new URL("./thread.ts", import.meta.url), { type: "module", name });
  return {
    worker,
    send: (id, data) => post({ type: "send", id, data: typeof data === "string" ? data : data.slice() }),
    close: (id) => post({ type: "close", id }),
    end() {
      worker.terminate();
      channel.close();
    },
  };
}
