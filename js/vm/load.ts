import { describe } from "./check.js";
import { messageOf } from "./errors.js";
import type { LuauOptions, WasmSource } from "./options.js";
import type { Bytes, WasmModule } from "./platform.js";

/** Advice for when the server does not have luau.wasm where the package looks for it. Many bundlers move the script but not the file. */
const NOT_SERVED =
  "Is luau.wasm among the served files? With Vite 7 and older, and with Astro 6 and older, which contain it, add " +
  '"luau-websocket" to optimizeDeps.exclude; with other bundlers, copy the file and pass its address in the option wasm, or import ' +
  "luau-websocket/inline, which needs no file";

/** Reads a file, by a `file:` URL or a path. */
export type ReadFile = (file: URL | string) => Promise<Bytes>;

/**
 * Compiles the WebAssembly module.
 *
 * @throws Error if it cannot be loaded or is not a module. The message names the source.
 */
export async function compile(
  source: WasmSource,
  onProgress: LuauOptions["onProgress"],
  readFile?: ReadFile,
): Promise<WasmModule> {
  const given: unknown = await source;
  const tell: LuauOptions["onProgress"] =
    onProgress && ((loaded, total) => telling(() => onProgress(loaded, total)));
  if (given instanceof WebAssembly.Module) {
    return given;
  }
  if (given instanceof ArrayBuffer || ArrayBuffer.isView(given)) {
    tell?.(given.byteLength, given.byteLength);
    return compileBytes(given, "the given bytes");
  }
  if (typeof given === "string" || given instanceof URL) {
    return compileUrl(given, tell, readFile);
  }
  if (isResponse(given)) {
    return compileResponse(given, tell);
  }
  throw new TypeError(
    `option wasm: not a URL, a string, a Response, bytes or a WebAssembly.Module, but ${describe(given)}`,
  );
}

/** Calls the host's function. Its exceptions are logged and change nothing. */
function telling(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    console.error(error);
  }
}

/** Checks the used members rather than the class, because the object may come from another realm or a library. */
function isResponse(value: unknown): value is Response {
  const { status, headers, arrayBuffer } = Object(value) as Partial<Response>;
  return (
    typeof status === "number" && typeof headers?.get === "function" && typeof arrayBuffer === "function"
  );
}

async function compileUrl(
  source: string | URL,
  onProgress: LuauOptions["onProgress"],
  readFile: ReadFile | undefined,
): Promise<WasmModule> {
  const url = toUrl(source);
  try {
    if (readFile !== undefined && (url === undefined || url.protocol === "file:")) {
      const bytes = await readFile(url ?? String(source));
      onProgress?.(bytes.byteLength, bytes.byteLength);
      return await compileBytes(bytes, String(source));
    }
    return await compileResponse(await fetch(source), onProgress);
  } catch (error) {
    if (error instanceof LoadError) {
      throw error;
    }
    throw new LoadError(`cannot load ${source}: ${messageOf(error)}`, { cause: error });
  }
}

function toUrl(source: string | URL): URL | undefined {
  if (/^[a-z]:[\\/]/i.test(String(source))) {
    // A Windows path, not a scheme.
    return undefined;
  }
  try {
    return new URL(source);
  } catch {
    // A path: relative to the page for `fetch`, and to the working directory for files.
    return undefined;
  }
}

async function compileResponse(
  response: Response,
  onProgress: LuauOptions["onProgress"],
): Promise<WasmModule> {
  const from = response.url || "the given response";
  if (!response.ok) {
    const answer = `the server answered ${response.status} ${response.statusText}`.trim();
    throw new LoadError(`cannot load ${from}: ${answer}${response.status === 404 ? `. ${NOT_SERVED}` : ""}`);
  }
  if (response.bodyUsed) {
    throw new LoadError(`cannot load ${from}: its body was already read; pass a fresh Response`);
  }
  const type = response.headers.get("Content-Type")?.split(";")[0]?.trim();
  if (type === "text/html") {
    throw new LoadError(
      `cannot load ${from}: the server sent an HTML page instead of WebAssembly. ${NOT_SERVED}`,
    );
  }
  const counted = onProgress === undefined ? response : withProgress(response, onProgress);
  // Only bodies of this type are compiled while they arrive.
  if (type === "application/wasm" && typeof WebAssembly.compileStreaming === "function") {
    return WebAssembly.compileStreaming(counted).catch((error) => refuse(from, error));
  }
  return compileBytes(await counted.arrayBuffer(), from);
}

function withProgress(response: Response, onProgress: (loaded: number, total?: number) => void): Response {
  if (response.body === null) {
    return response;
  }
  // The length of a compressed body is not the length of the data that arrives here.
  const isPacked = response.headers.has("Content-Encoding");
  const length = Number(response.headers.get("Content-Length"));
  const total = isPacked || !(length > 0) ? undefined : length;
  let loaded = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      onProgress(loaded, total);
      controller.enqueue(chunk);
    },
  });
  const { status, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, headers });
}

function compileBytes(bytes: Bytes, from: string): Promise<WasmModule> {
  // Engines reject shared memory with a clear error.
  return WebAssembly.compile(bytes as BufferSource).catch((error) => refuse(from, error));
}

function refuse(from: string, error: unknown): never {
  if (isOfPolicy(error)) {
    throw new LoadError(
      `cannot compile ${from}: the Content Security Policy does not allow it. Add 'wasm-unsafe-eval' to its script-src, which allows ` +
        `WebAssembly and nothing else (${messageOf(error)})`,
      { cause: error },
    );
  }
  throw new LoadError(
    `${from} is not a WebAssembly module that can run here: ${messageOf(error)}. ` +
      "It needs WebAssembly exceptions: Chrome 95, Firefox 100, Safari 15.2, Node 20 or newer",
    { cause: error },
  );
}

/**
 * Returns true for errors of the Content Security Policy. Engines have no error type for them, but all name the policy
 * or the missing source.
 */
function isOfPolicy(error: unknown): boolean {
  return /Content Security Policy|\bCSP\b|unsafe-eval/i.test(messageOf(error));
}

/** An error with a complete message. */
class LoadError extends Error {}
