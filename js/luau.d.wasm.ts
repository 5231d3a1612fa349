import type { WasmModule } from "./platform.js";

/** The module, where the bundler or the runtime compiles it. */
declare const module: WasmModule;
export default module;
