// What the worker of a run executes. First the sockets, then the package, which finds them in the place of the browser's, and then what
// keeps large values from the page.

import "./sockets.js";
import "luau-websocket/worker-thread";
import "./values.js";
