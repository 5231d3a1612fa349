// What the page of the benchmarks measures of our package.

import { runtime } from "./runtime.mjs";
import { layer, plainLayer, sockets } from "./sockets.mjs";

export { layer, plainLayer, runtime, sockets };
