// A TypeScript project that uses the package. types.test.mjs compiles it; it never runs.

import {
  Luau,
  type LuauError,
  type LuauErrorKind,
  type LuauFrame,
  type LuauOptions,
  type LuauStats,
  type RunOptions,
  type SocketEvent,
} from "luau-websocket";
import { Luau as InlineLuau, LuauError as InlineLuauError } from "luau-websocket/inline";
import wasm from "luau-websocket/luau.wasm";
import { LuauWorker, LuauError as WorkerLuauError } from "luau-websocket/worker";
import "luau-websocket/worker-thread";

const events: SocketEvent[] = [];

const options: LuauOptions = {
  wasm,
  onProgress: (loaded, total) => console.log(loaded / (total ?? loaded)),
  print: (text) => console.log(text),
  warn: (text, values) => console.warn(text, ...values()),
  onError: ({ kind, traceback }) => console.error(kind, traceback),
  globals: { answer: 42, ask: async (question: string) => question.length },
  modules: { "lib/numbers.luau": "return { one = 1 }" },
  memoryLimit: 64 * 1024 * 1024,
  timeSlice: 8,
  timeLimit: 1_000,
  sandbox: true,
  websocket: {
    WebSocket,
    allow: (url) => url.protocol === "wss:",
    maxConnections: 4,
    maxQueueBytes: 1024,
    maxQueueMessages: 16,
  },
  onSocket: (event) => events.push(event),
};

const runOptions: RunOptions = {
  chunkName: "example",
  args: [1, "two", new Uint8Array(3)],
  signal: AbortSignal.timeout(1_000),
};

export async function main(source: string | Uint8Array): Promise<LuauErrorKind | undefined> {
  for (const luau of [await Luau.create(options), await InlineLuau.create()]) {
    const error: LuauError | null = luau.check(source);
    const [first]: unknown[] = await luau.run(source, runOptions);
    const [count, name] = await luau.run<[number, string]>("return 1, 'one'", { signal: null });
    console.log(count.toFixed(1), name.toUpperCase());
    luau.set("first", first);
    const value: unknown = luau.get("first");
    await luau.idle();
    const { threads, timers, sockets, memory }: LuauStats = luau.stats;
    console.log(error?.message, value, threads + timers + sockets + memory);
    luau.stop();
    luau.dispose();
  }
  const worker = await LuauWorker.create({
    wasm: new URL("https://example.com/luau.wasm"),
    timeSlice: 8,
    worker: () => new Worker(new URL("https://example.com/worker.js"), { type: "module" }),
  });
  try {
    await worker.run(source, runOptions);
    const error: LuauError | null = await worker.check(source);
    await worker.set("error", error);
    const value: unknown = await worker.get("error");
    await worker.idle();
    const { threads }: LuauStats = await worker.stats;
    await worker.stop();
    console.log(value, threads);
  } catch (error) {
    if (error instanceof WorkerLuauError || error instanceof InlineLuauError) {
      const frames: readonly LuauFrame[] = error.frames;
      console.error(error.line, frames[0]?.name, error.value, error.cause);
      return error.kind;
    }
  } finally {
    worker.terminate();
  }
  return undefined;
}

/** A subclass, whose members `create` returns. */
class Editor extends Luau {
  readonly history: string[] = [];
}

class EditorWorker extends LuauWorker {
  readonly history: string[] = [];
}

export async function subclasses(): Promise<string[]> {
  const editor: Editor = await Editor.create(options);
  const worker: EditorWorker = await EditorWorker.create();
  const create = Luau.create;
  const plain: Luau = await create();
  plain.dispose();
  return [...editor.history, ...worker.history];
}

// @ts-expect-error An option that does not exist is noticed.
export const misspelt: LuauOptions = { prnt: console.log };

// @ts-expect-error VMs are made with `create`.
export const constructed = new Luau();
