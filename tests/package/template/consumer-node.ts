// A TypeScript project for Node that uses the package without the DOM types. types.test.mjs compiles it; it never runs.

import { readFile } from "node:fs/promises";
import { Luau, type LuauOptions, type SocketEvent } from "luau-websocket";
import { Luau as InlineLuau } from "luau-websocket/inline";
import wasm from "luau-websocket/luau.wasm";
import { LuauWorker } from "luau-websocket/worker";
import "luau-websocket/worker-thread";
import { WebSocket } from "ws";

const options: LuauOptions = {
  wasm: await readFile("luau.wasm"),
  websocket: { WebSocket, allow: (url) => url.hostname === "localhost" },
  modules: (path) => readFile(`${path}.luau`).catch(() => null),
  onSocket: ({ type, url }: SocketEvent) => console.log(type, url),
};

for (const luau of [
  await Luau.create(options),
  await Luau.create({ wasm, modules: { main: "return 1", bytes: new Uint8Array() } }),
  await Luau.create({ wasm: fetch("https://example.com/luau.wasm") }),
  await InlineLuau.create(),
]) {
  const [first]: unknown[] = await luau.run("return 1", { signal: AbortSignal.timeout(1_000) });
  console.log(first);
  luau.dispose();
}

// @ts-expect-error A number is no source of the module.
await Luau.create({ wasm: 5 });

// Workers exist only with other types.
export const create = (): Promise<LuauWorker> => LuauWorker.create({ timeSlice: 8 });
