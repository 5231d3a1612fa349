    // The length of the bytes reveals that the memory has grown. This check is faster than the original, which compares
    // buffers.
    const bytes = getUint8ArrayMemory0();
    if (cachedDataViewMemory0 === null) {
        cachedDataViewMemory0 = new DataView(bytes.buffer);
    }
