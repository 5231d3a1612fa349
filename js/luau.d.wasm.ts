import type { WasmModule } from "./vm/platform.js";

/** The module, if the bundler or the runtime compiles it. */
declare const module: WasmModule;
export default module;
