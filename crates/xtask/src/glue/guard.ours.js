// What ended the instance, as `{ thrown }`; undefined while it lives.
let __fault;
// Unwinds the frames of a dead instance. Nothing inside has this tag, so neither Rust nor Luau can catch it and go on.
const __fault_tag = new WebAssembly.Tag({ parameters: [] });

function __wbg_die(thrown) {
    __fault = { thrown };
    // What a page still holds, its timers and sockets, shall not keep the memory of the instance: nothing of it stays here.
    wasm = new Proxy({}, { get: __wbg_call_guard });
    wasmInstance = wasmModule = undefined;
    __CACHES__ = null;
    // V8 keeps the frames of an error, and the instance with them, until the stack is read.
    try {
        void thrown?.stack;
    } catch {}
    onFault(thrown);
}

// Takes what a call of an export threw.
function __wbg_handle_catch(e) {
    if (__fault === undefined) {
        // Rust throws an exception of JS on purpose: the instance is as good as before.
        if (e instanceof WebAssembly.Exception && e.is(__wbindgen_wrapped_jstag)) {
            throw e.getArg(__wbindgen_wrapped_jstag, 0);
        }
        // An import threw, and Rust did not ask to catch it: its frames were cut off amid their work.
        const byImport = e instanceof WebAssembly.Exception && e.is(__wbindgen_jstag_polyfill);
        __wbg_die(byImport ? e.getArg(__wbindgen_jstag_polyfill, 0) : e);
    }
    throw __fault.thrown;
}

// The same for calls that come from the event loop, where a fault must not arrive: Node would end the process.
function __wbg_swallow(e) {
    try {
        __wbg_handle_catch(e);
    } catch (thrown) {
        if (__fault === undefined) throw thrown;
    }
}

function __wbg_quietly(call) {
    if (__fault !== undefined) return;
    try {
        call();
    } catch (e) {
        __wbg_swallow(e);
    }
}

function __wbg_call_guard() {
    if (__fault !== undefined) throw new Error('Module terminated', { cause: __fault.thrown });
}
