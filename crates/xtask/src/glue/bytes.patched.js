        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
        cachedDataViewMemory0 = null;
