// Finds the package's own files relative to the script, which a bundle may not know.

/**
 * Must be called before a file is located relative to `import.meta.url`. The `new URL` itself must stay at its place of
 * use, because bundlers look for it there.
 *
 * @param own `import.meta.url`
 * @throws Error if there is none, with advice
 */
export function requireAddress(own: string | undefined, file: string): void {
  if (own === undefined) {
    throw new Error(
      `cannot find ${file}: this bundle is not a module, so it does not know its own address (import.meta.url), as with the format iife ` +
        "of esbuild. Bundle as a module, or import luau-websocket/inline, which needs no file. Otherwise pass the addresses of luau.wasm " +
        "and the worker in the options wasm and worker",
    );
  }
}

/**
 * Returns the address of a file next to a script of another origin, or undefined if the script has the page's origin. A
 * worker cannot be created from a foreign file, but may import it.
 *
 * @param own `import.meta.url` of the script
 */
export function foreignAddress(own: string, file: string): string | undefined {
  const url = new URL(own);
  const page = globalThis.location?.origin;
  if (page === undefined || page === url.origin || !["http:", "https:"].includes(url.protocol)) {
    return undefined;
  }
  url.pathname = url.pathname.replace(/[^/]*$/, file);
  return url.href;
}
