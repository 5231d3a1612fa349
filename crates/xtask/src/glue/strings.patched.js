    // The number of code units read and bytes written. The original writes characters one by one until one is not
    // ASCII. Beyond a few characters, the encoder is many times faster.
    let read = 0;
    let offset = 0;

    if (len > 128) {
        ({ read, written: offset } = cachedTextEncoder.encodeInto(arg, mem.subarray(ptr, ptr + len)));
    } else {
        for (; offset < len; offset++) {
            const code = arg.charCodeAt(offset);
            if (code > 0x7F) break;
            mem[ptr + offset] = code;
        }
        read = offset;
    }
    if (read !== len) {
        if (read !== 0) {
            arg = arg.slice(read);
        }
