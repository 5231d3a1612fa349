function __wbg_rethrow(e) {
    if (__wbg_is_exception(e)) throw e;
    throw new WebAssembly.Exception(__wbindgen_jstag_polyfill, [e], { traceStack: true });
}
