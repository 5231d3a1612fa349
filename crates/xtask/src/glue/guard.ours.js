// Asking what it is runs code of the page when what was thrown is a `Proxy`.
function __wbg_is_exception(e) {
    try {
        return e instanceof WebAssembly.Exception;
    } catch {
        return false;
    }
}

// The cause of the instance's end, as `{ thrown }`; undefined while it lives. After a fault a plain assignment sets it first: there may be
// no stack left for a call, and no memory.
let __fault;
const __end = { thrown: undefined };
// True while `__wbg_finish` runs, and true once it has finished. After a stack overflow it may be called again.
let __is_finishing = false;
let __is_finished = false;
// Finishes the end in a microtask, where the stack is empty. Made in advance: a call of it is all that a full stack may have room for.
let __finish_later;
new Promise((resolve) => {
    __finish_later = resolve;
}).then(__wbg_finish);
// Unwinds the frames of a dead instance. Nothing inside has this tag, so neither Rust nor Luau can catch it and go on.
const __gone = new WebAssembly.Exception(new WebAssembly.Tag({ parameters: [] }), []);
// In the place of the exports of a dead instance.
const __gone_exports = new Proxy({}, { get: __wbg_call_guard });

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

// May be called again after an overflow of the stack.
function close(thrown) {
    if (__fault === undefined) {
        __end.thrown = thrown;
        __fault = __end;
        __is_finished = true;
    }
    for (const id of __timers) clearTimeout(id);
    // What a page still holds, its timers and sockets, shall not keep the memory of the instance: nothing of it stays here.
    wasm = __gone_exports;
    wasmInstance = wasmModule = undefined;
    __CACHES__ = null;
}

// Does all that is to be done after a fault. When the stack overflows meanwhile, the next call takes it up again.
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

// Takes what a call of an export threw. What Rust means to throw it returns; so this is a trap, or an import threw that was
// not expected to, and the frames of Rust were cut off amid their work. `__fault` is set already.
function __wbg_handle_catch() {
    __wbg_finish();
    throw __end.thrown;
}

// The same for calls that come from the event loop, where a fault must not arrive: Node would end the process.
function __wbg_swallow() {
    try {
        __wbg_finish();
    } catch {}
}

function __wbg_quietly(call) {
    if (__fault !== undefined) return;
    try {
        call();
    } catch (e) {
        __MARK__
        __wbg_swallow();
    }
}

// Called when Rust drops a closure. JS may still call it: an EventEmitter calls a copy of its list of listeners, and a host may keep the
// function. Such a call does nothing. In wasm-bindgen's glue it throws inside Rust, which would count as a fault of the instance.
function __wbg_drop_closure(state) {
    state.isDropped = true;
    __wbg_release_closure(state);
}

// A closure that is dropped while it runs lives to the end of its call.
function __wbg_release_closure(state) {
    if (--state.cnt === 0) {
        __wbg_quietly(() => wasm.__wbindgen_destroy_closure(state.a, state.b));
        state.a = 0;
        CLOSURE_DTORS.unregister(state);
    }
}

function __wbg_call_guard() {
    if (__fault !== undefined) throw new Error('Module terminated', { cause: __fault.thrown });
}

// Functions that the glue itself calls, inside an import or before a call. A failure in them leaves the allocator intact.
function __wbg_malloc(size, align) {
    try {
        return wasm.__wbindgen_malloc(size, align);
    } catch (e) {
        __MARK__
        throw e;
    }
}

function __wbg_realloc(ptr, size, grown, align) {
    try {
        return wasm.__wbindgen_realloc(ptr, size, grown, align);
    } catch (e) {
        __MARK__
        throw e;
    }
}

function __wbg_alloc_slot() {
    try {
        return wasm.__externref_table_alloc();
    } catch (e) {
        __MARK__
        throw e;
    }
}

function __wbg_free_slot(idx) {
    try {
        wasm.__externref_table_dealloc(idx);
    } catch (e) {
        __MARK__
        throw e;
    }
}

// Throws a RangeError unless a call may have enough of the stack.
function requireStack() {
    try {
        wasm.probe_stack(__LEVELS__, 0);
    } catch (e) {
        throw new RangeError('Maximum call stack size exceeded: a call into Luau needs __KIB__ KiB of it', { cause: e });
    }
}
