// The host sends and closes on a connection of a script, as the script does.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { Luau } from "../../pkg/node.js";
import { serverForTests } from "../server/for-tests.mjs";

const server = serverForTests();

test("a connection by its ID", async () => {
  /** @type {string[]} */
  const types = [];
  let open = () => {};
  const isOpen = new Promise((resolve) => {
    open = () => resolve(undefined);
  });
  const luau = await Luau.create({
    websocket: { WebSocket: /** @type {any} */ (WebSocket) },
    onSocket: ({ id, type }) => {
      types.push(`${id} ${type}`);
      if (type === "open") {
        open();
      }
    },
  });
  assert.throws(() => luau.socket(1).send("early"), { message: "there is no open connection 1" });
  const run = luau.run(
    `local connection = websocket.connect(...)
     local text, bytes = connection:Receive(), connection:Receive()
     local code, reason = connection.OnClose:Wait()
     return text, bytes, code, reason`,
    { args: [server.echo] },
  );
  await isOpen;
  const socket = luau.socket(1);
  socket.send("by hand");
  socket.send(new Uint8Array([1, 2]).subarray(1));
  while (types.filter((type) => type === "1 message").length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  socket.close(4000, "enough");
  assert.throws(() => socket.send("late"), { message: "there is no open connection 1" });
  assert.deepEqual(await run, ["by hand", "\u0002", 4000, "enough"]);
  assert.equal(types.filter((type) => type === "1 send").length, 2);
  luau.dispose();
});
