// Platform types, if the project that uses the package has them. They are part of the DOM types, which Node projects
// leave out.

/** A `WebAssembly.Module`, or any object if TypeScript does not have the type. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** A `Worker`, or any object if TypeScript does not have the type. */
export type WebWorker = typeof globalThis extends { Worker: { prototype: infer Worker } } ? Worker : object;

/** Bytes, like `BufferSource` in the DOM. */
export type Bytes = ArrayBuffer | ArrayBufferView;
