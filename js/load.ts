import { describe } from "./check.js";
import type { LuauOptions, WasmSource } from "./options.js";
import type { Bytes, WasmModule } from "./platform.js";

/** Advice for when the server does not have luau.wasm where the package looks for it. Many bundlers move the script but not the file. */
const NOT_SERVED =
  "Is luau.wasm among the files that are served? With Vite 7 and older, and Astro 6 and older, which have it inside, add " +
  '"luau-websocket" to optimizeDeps.exclude; elsewhere, copy the file and give its address as the option wasm, or import ' +
  "luau-websocket/inline, which needs no file";

/** Reads a file, by a `file:` URL or a path. */
export type ReadFile = (file: URL | string) => Promise<Bytes>;

/**
 * Compiles the WebAssembly module.
 *
 * @throws Error when it cannot be loaded, or is none; the message says from where.
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
    return compileBytes(given, "the bytes that were given");
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

/** What the page's own function throws is shown, and changes nothing. */
function telling(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    console.error(error);
  }
}

/** By what is used of it, since it may come from another realm, or from a library. */
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
    // A path of Windows, and no scheme.
    return undefined;
  }
  try {
    return new URL(source);
  } catch {
    // A path: relative to the page for `fetch`, to the working directory where there are files.
    return undefined;
  }
}

async function compileResponse(
  response: Response,
  onProgress: LuauOptions["onProgress"],
): Promise<WasmModule> {
  const from = response.url || "the response that was given";
  if (!response.ok) {
    const answer = `the server answered ${response.status} ${response.statusText}`.trim();
    throw new LoadError(`cannot load ${from}: ${answer}${response.status === 404 ? `. ${NOT_SERVED}` : ""}`);
  }
  if (response.bodyUsed) {
    throw new LoadError(`cannot load ${from}: its body was read before; give a Response that is still whole`);
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
  // Of a compressed body the length says nothing: what arrives here is unpacked.
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
  // Of memory that is shared it says so itself.
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
      "Exceptions are needed: Chrome 95, Firefox 100, Safari 15.2, Node 20 or newer",
    { cause: error },
  );
}

/** Engines have no kind of error for it. All name the policy or the source that it lacks. */
function isOfPolicy(error: unknown): boolean {
  return /Content Security Policy|\bCSP\b|unsafe-eval/i.test(messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error whose message says all that there is to say. */
class LoadError extends Error {}
