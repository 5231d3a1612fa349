// What the worker of a run executes. First the sockets, then the package, which finds them in the place of the browser's.

import "./sockets.js";
import "luau-websocket/worker-thread";
