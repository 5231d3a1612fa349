// Types of the platform, where the project that uses the package knows them: those of the DOM, which projects for Node leave out.

/** A `WebAssembly.Module`; any object where TypeScript is not told of such. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** A `Worker`; any object where TypeScript is not told of such. */
export type WebWorker = typeof globalThis extends { Worker: { prototype: infer Worker } } ? Worker : object;

/** Bytes: what the DOM calls a `BufferSource`. */
export type Bytes = ArrayBuffer | ArrayBufferView;
