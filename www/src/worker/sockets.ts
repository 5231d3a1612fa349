// The sockets of the script that runs in this worker: what `WebSocket` is there, and what the page does with them by hand.

import { LoopbackSocket, loopbackUrl } from "./loopback.js";
import type { ByHand } from "./page.js";

/**
 * The sockets that are not closed, by the ids that the events of the package have: it counts those that could be made. So this
 * holds for one VM, and where the page has no say in which addresses are allowed, since it would be asked in between.
 */
const sockets = new Map<number, WebSocket>();
let lastId = 0;

globalThis.WebSocket = new Proxy(globalThis.WebSocket, {
  construct(Real, [address, protocols]: [string, string[]?]) {
    const url = loopbackUrl(address);
    const socket = (
      url === undefined ? new Real(address, protocols ?? []) : new LoopbackSocket(url, protocols)
    ) as WebSocket;
    const id = ++lastId;
    sockets.set(id, socket);
    socket.addEventListener("close", () => sockets.delete(id));
    return socket;
  },
});

// What the page posts to the worker itself is for the package.
new BroadcastChannel(self.name).onmessage = ({ data }: MessageEvent<ByHand>) => {
  const socket = sockets.get(data.id);
  if (socket?.readyState !== WebSocket.OPEN) {
    return;
  }
  if (data.type === "send") {
    // The package watches this very function: the page gets an event as of what the script sends.
    socket.send(data.data);
  } else {
    socket.close(1000, "closed by hand");
  }
};
