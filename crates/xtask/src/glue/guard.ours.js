// Asking what it is runs code of the page when what was thrown is a `Proxy`.
function __wbg_is_exception(e) {
    try {
        return e instanceof WebAssembly.Exception;
    } catch {
        return false;
    }
}

// What ended the instance, as `{ thrown }`; undefined while it lives.
let __fault;
// Unwinds the frames of a dead instance. Nothing inside has this tag, so neither Rust nor Luau can catch it and go on.
const __fault_tag = new WebAssembly.Tag({ parameters: [] });

// The timers that are armed, in the place of the functions that the rest of the glue calls: those of a dead instance would keep
// a Node program from ending.
const __timers = new Set();
function setTimeout(handler, milliseconds) {
    const fire = () => {
        __timers.delete(id);
        handler();
    };
    const id = globalThis.setTimeout(fire, milliseconds);
    __timers.add(id);
    return id;
}
function clearTimeout(id) {
    __timers.delete(id);
    globalThis.clearTimeout(id);
}

function close(thrown) {
    __fault = { thrown };
    for (const id of __timers) clearTimeout(id);
    // What a page still holds, its timers and sockets, shall not keep the memory of the instance: nothing of it stays here.
    wasm = new Proxy({}, { get: __wbg_call_guard });
    wasmInstance = wasmModule = undefined;
    __CACHES__ = null;
}

function __wbg_die(thrown) {
    close(thrown);
    // V8 keeps the frames of an error, and the instance with them, until the stack is read.
    try {
        void thrown?.stack;
    } catch {}
    onFault(thrown);
}

// Takes what a call of an export threw. What Rust means to throw it returns; so this is a trap, or an import threw that was
// not expected to, and the frames of Rust were cut off amid their work.
function __wbg_handle_catch(e) {
    if (__fault === undefined) {
        const tags = [__wbindgen_wrapped_jstag, __wbindgen_jstag_polyfill];
        const tag = tags.find((tag) => __wbg_is_exception(e) && e.is(tag));
        __wbg_die(tag === undefined ? e : e.getArg(tag, 0));
    }
    throw __fault.thrown;
}

// The same for calls that come from the event loop, where a fault must not arrive: Node would end the process.
function __wbg_swallow(e) {
    try {
        __wbg_handle_catch(e);
    } catch {}
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
