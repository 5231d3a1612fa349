// The worker of given-worker.mjs.

import "luau-websocket/worker-thread";
