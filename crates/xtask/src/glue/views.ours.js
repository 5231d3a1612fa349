    // The bytes tell by their length that the memory has grown, which is asked sooner than for what buffer theirs is.
    const bytes = getUint8ArrayMemory0();
    if (cachedDataViewMemory0 === null) {
        cachedDataViewMemory0 = new DataView(bytes.buffer);
    }
