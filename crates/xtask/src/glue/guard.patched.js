// If a `Proxy` was thrown, `instanceof` runs the host's code, which may throw.
function __wbg_is_exception(e) {
    try {
        return e instanceof WebAssembly.Exception;
    } catch {
        return false;
    }
}

// The cause of the instance's end, as `{ thrown }`; undefined while the instance lives. After a fault the first step is
// a plain assignment to it, because there may be no memory and no stack for a call.
let __fault;
const __end = { thrown: undefined };
// The first is true while `__wbg_finish` runs, the second once it has completed. It may be called again after a stack
// overflow.
let __is_finishing = false;
let __is_finished = false;
// Calls `__wbg_finish` in a microtask, where the stack is empty. Created in advance, because a full stack may have room
// for this one call only.
let __finish_later;
new Promise((resolve) => {
    __finish_later = resolve;
}).then(__wbg_finish);
// Unwinds the frames of a dead instance. The code inside does not know its tag, so neither Rust nor Luau can catch it
// and continue.
const __gone = new WebAssembly.Exception(new WebAssembly.Tag({ parameters: [] }), []);
// Replaces the exports of a dead instance.
const __gone_exports = new Proxy({}, { get: __wbg_call_guard });

// The armed timers. These functions shadow the global ones for the rest of the glue: timers of a dead instance would
// keep a Node program from ending.
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

// Releases the instance. May be called again after a stack overflow.
function close(thrown) {
    if (__fault === undefined) {
        __end.thrown = thrown;
        __fault = __end;
        __is_finished = true;
    }
    for (const id of __timers) clearTimeout(id);
    // The host may still hold timers and sockets. They must not keep the instance's memory alive, so this removes all
    // references to it.
    wasm = __gone_exports;
    wasmInstance = wasmModule = undefined;
    __CACHES__ = null;
}

// Completes the handling of a fault. If the stack overflows in the middle, the next call starts over.
function __wbg_finish() {
    if (__is_finished || __is_finishing || __fault === undefined) return;
    __is_finishing = true;
    try {
        const e = __end.thrown;
        if (__wbg_is_exception(e)) {
            const tag = [__wbindgen_wrapped_jstag, __wbindgen_jstag_polyfill].find((tag) => e.is(tag));
            if (tag !== undefined) __end.thrown = e.getArg(tag, 0);
        }
        close();
        // V8 keeps the frames of an error, and the instance with them, until the stack is read.
        try {
            void __end.thrown?.stack;
        } catch {}
        onFault(__end.thrown);
        __is_finished = true;
    } finally {
        __is_finishing = false;
    }
}

// Handles an exception from a call of an export. Rust returns its errors, so this is a trap, or an import threw
// unexpectedly and cut off Rust's frames in the middle of their work. `__fault` is set already.
function __wbg_handle_catch() {
    __wbg_finish();
    throw __end.thrown;
}

// Does the same for calls from the event loop, but throws nothing: Node would end the process.
function __wbg_swallow_fault() {
    try {
        __wbg_finish();
    } catch {}
}

// Makes a call for which nobody handles a fault, such as a finalizer's. Does nothing in a dead instance.
function __wbg_call_quietly(call) {
    if (__fault !== undefined) return;
    try {
        call();
    } catch (e) {
        __RECORD_FAULT__
        __wbg_swallow_fault();
    }
}

// Called when Rust drops a closure. JS may still call it: an EventEmitter calls a copy of its listener list, and a host
// may keep the function. Such a call does nothing. In wasm-bindgen's glue it throws inside Rust, which would count as a
// fault.
function __wbg_drop_closure(state) {
    state.isDropped = true;
    __wbg_release_closure(state);
}

// A closure that is dropped while it runs lives until its call ends.
function __wbg_release_closure(state) {
    if (--state.cnt === 0) {
        __wbg_call_quietly(() => wasm.__wbindgen_destroy_closure(state.a, state.b));
        state.a = 0;
        CLOSURE_DTORS.unregister(state);
    }
}

function __wbg_call_guard() {
    if (__fault !== undefined) throw new Error('Module terminated', { cause: __fault.thrown });
}

// Functions that the glue itself calls, inside an import or before a call. A failure in them leaves the allocator
// intact.
function __wbg_malloc(size, align) {
    try {
        return wasm.__wbindgen_malloc(size, align);
    } catch (e) {
        __RECORD_FAULT__
        throw e;
    }
}

function __wbg_realloc(ptr, size, grown, align) {
    try {
        return wasm.__wbindgen_realloc(ptr, size, grown, align);
    } catch (e) {
        __RECORD_FAULT__
        throw e;
    }
}

function __wbg_alloc_slot() {
    try {
        return wasm.__externref_table_alloc();
    } catch (e) {
        __RECORD_FAULT__
        throw e;
    }
}

function __wbg_free_slot(idx) {
    try {
        wasm.__externref_table_dealloc(idx);
    } catch (e) {
        __RECORD_FAULT__
        throw e;
    }
}

// Throws a RangeError unless there is enough stack for a call.
function requireStack() {
    try {
        wasm.probe_stack(__LEVELS__, 0);
    } catch (e) {
        throw new RangeError('Maximum call stack size exceeded: a call into Luau needs __KIB__ KiB of stack', { cause: e });
    }
}
