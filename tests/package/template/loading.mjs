// Creates a VM with each class, where that must fail, and stores the two error messages in `outcome`.

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
