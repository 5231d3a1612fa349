// Leaves the messages of errors with which a VM cannot be made here in `outcome`, of both classes.

import { Luau } from "luau-websocket";
import { LuauWorker } from "luau-websocket/worker";

/** @param {() => Promise<unknown>} create */
const messageOf = async (create) => {
  try {
    await create();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

Promise.all([messageOf(() => Luau.create()), messageOf(() => LuauWorker.create())]).then((messages) => {
  Object.assign(globalThis, { outcome: messages });
});
