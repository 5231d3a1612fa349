// The server for test files that need no page.

import { after, before } from "node:test";
import { openServer } from "./host.mjs";

/** Opens a server before the tests of a file, and closes it after them. Its addresses are known once the tests run. */
export function serverForTests() {
  /** @type {Awaited<ReturnType<typeof openServer>> | undefined} */
  let server;
  before(async () => {
    server = await openServer();
  });
  after(() => server?.close());
  return {
    /** The host name and the port. */
    get host() {
      return `127.0.0.1:${server?.port}`;
    },
    /** The address for WebSockets, without a path. */
    get base() {
      return `ws://${this.host}`;
    },
    /** The address of a service that sends back every message. */
    get echo() {
      return `${this.base}/echo`;
    },
  };
}
