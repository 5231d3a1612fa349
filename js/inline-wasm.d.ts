/** luau.wasm, compressed with gzip, as base64. Made by `cargo xtask build`. */
export const wasm: string;
