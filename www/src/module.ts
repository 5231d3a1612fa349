import wasmUrl from "luau-websocket/luau.wasm?url";

/** Receives the progress of the download: the bytes loaded so far, and the total. */
type OnProgress = (loaded: number, total: number) => void;

/** Loads and compiles the module once, for the page and the workers of all runs. */
export async function loadModule(onProgress: OnProgress): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok || response.body === null) {
    throw new Error(`the VM could not be loaded (${response.status} ${response.statusText})`);
  }
  // The content-length header would not do: it counts the compressed bytes, and the stream is decompressed.
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
  // Compiles during the download. The type is set here because not every server sends it.
  return WebAssembly.compileStreaming(
    new Response(counted, { headers: { "content-type": "application/wasm" } }),
  );
}
