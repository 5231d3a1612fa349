// The worker of own-worker.mjs.

import * as luau from "luau-websocket";
import { program } from "./program.mjs";

self.onmessage = ({ data: address }) => {
  // Errors are reported to the page, because a rejection would stay in the worker.
  program(luau, address).then((result) => self.postMessage(result), reportError);
};
