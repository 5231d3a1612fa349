function wrapError(f, args) {
    if (__fault === undefined) {
        try {
            const ret = f.apply(this, args);
            if (__fault === undefined) return ret;
        } catch (e) {
            if (__fault === undefined) {
                if (__wbg_is_exception(e)) throw e;
                throw new WebAssembly.Exception(__wbindgen_jstag_polyfill, [e], { traceStack: true });
            }
        }
    }
    // The instance died in a call within this one, or before: the frames that wait for this import must not go on.
    throw new WebAssembly.Exception(__fault_tag, []);
}
