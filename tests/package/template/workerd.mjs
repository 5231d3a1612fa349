// For workerd: answers `?address=…` with the result as JSON.

import * as luau from "luau-websocket";
import { program } from "./program.mjs";

export default {
  /** @param {Request} request */
  async fetch(request) {
    const address = new URL(request.url).searchParams.get("address") ?? "";
    return Response.json(await program(luau, address));
  },
};
