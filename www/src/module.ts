import wasmUrl from "luau-websocket/luau.wasm?url";

/** Told of the download: bytes that have come, and of how many, where that is known. */
type OnProgress = (loaded: number, total: number | undefined) => void;

/** Loads and compiles the module, once for the page and the workers of all runs. */
export async function loadModule(onProgress: OnProgress): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok || response.body === null) {
    throw new Error(`the VM could not be loaded (${response.status} ${response.statusText})`);
  }
  // The length is that of what is transferred, and the bytes that come are unpacked: only without a packing they agree.
  const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const total = length === null ? undefined : Number(length);
  let loaded = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(part, controller) {
        loaded += part.length;
        onProgress(loaded, total);
        controller.enqueue(part);
      },
    }),
  );
  // Compiled while it comes. The type has to be set: not every host knows it.
  return WebAssembly.compileStreaming(
    new Response(counted, { headers: { "content-type": "application/wasm" } }),
  );
}
