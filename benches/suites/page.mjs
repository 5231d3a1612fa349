// The measurements of our package in the page.

import { runtime } from "./runtime.mjs";
import { layer, plainLayer, sockets } from "./sockets.mjs";

export { layer, plainLayer, runtime, sockets };
