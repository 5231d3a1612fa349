/** The module, where the bundler or the runtime compiles it. */
declare const module: WebAssembly.Module;
export default module;
