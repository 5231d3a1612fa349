// The entry point of a run's worker.

import { serve } from "luau-websocket/serve";
import { transformOutput } from "./excerpt.js";
import { PlaygroundSocket } from "./loopback.js";

serve({ WebSocket: PlaygroundSocket, transformOutput });
