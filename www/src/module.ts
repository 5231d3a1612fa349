import wasmUrl from "luau-websocket/luau.wasm?url";

/** Told of the download: bytes that have come, and of how many. */
type OnProgress = (loaded: number, total: number) => void;

/** Loads and compiles the module, once for the page and the workers of all runs. */
export async function loadModule(onProgress: OnProgress): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok || response.body === null) {
    throw new Error(`the VM could not be loaded (${response.status} ${response.statusText})`);
  }
  // Not the length that the host tells: that is of what is transferred, and what comes here is unpacked.
  const total = import.meta.env.VITE_LUAU_BYTES;
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
