// The instance died in a call within an import, or before: the frames that wait for the import must not go on.
function __wbg_gone() {
    return new WebAssembly.Exception(__fault_tag, []);
}

function __wbg_rethrow(e) {
    if (__wbg_is_exception(e)) throw e;
    throw new WebAssembly.Exception(__wbindgen_jstag_polyfill, [e], { traceStack: true });
}
