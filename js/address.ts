// The addresses of the package's own files, as far as a bundle knows its own.

/**
 * Must be called before a file is looked for beside `import.meta.url`. The `new URL` itself has to stay where it is needed, since bundlers
 * look for it there.
 *
 * @param own `import.meta.url`
 * @throws Error when there is none, which says what to do
 */
export function requireAddress(own: string | undefined, file: string): void {
  if (own === undefined) {
    throw new Error(
      `cannot find ${file}: this bundle is no module, and so does not know its own address (import.meta.url), as in the format iife ` +
        "of esbuild. Bundle as a module, or import luau-websocket/inline, which needs no file; otherwise give the addresses of luau.wasm " +
        "and the worker as the options wasm and worker",
    );
  }
}

/**
 * Returns the address of a file beside a script of another origin, or undefined if the script is of the page's own: a worker must not
 * be made of such a file, but may import it.
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
