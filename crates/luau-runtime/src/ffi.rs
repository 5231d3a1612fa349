//! Calls into Luau's C API for which mlua has no safe wrapper. All `unsafe` code of the crate is here.

mod allocator;
mod charge;
mod clock_schedule;
mod compile;
mod environment;
mod flags;
mod garbage;
mod guard;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod heap;
#[cfg(not(all(target_arch = "wasm32", feature = "module")))]
#[path = "ffi/system_heap.rs"]
mod heap;
mod integers;
mod memory;
mod natives;
mod references;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod require;
mod resume;
mod running_script;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod stack;
mod thread_group;
mod thread_taker;

use std::ffi::{CStr, c_char, c_int, c_void};

use mlua::prelude::*;
use mlua::{Thread, ffi};

pub use self::allocator::{refusal, refuse_memory};
pub use self::charge::Charge;
use self::clock_schedule::check_clock_soon;
pub use self::clock_schedule::note_read;
pub(crate) use self::compile::{compile, syntax_errors};
pub(crate) use self::environment::{calling_environment, environment_functions};
pub use self::flags::set_flags;
pub use self::garbage::install_collectgarbage;
pub(crate) use self::guard::{Guard, guarded, is_guarded, set_interrupts, was_refused_memory};
pub use self::guard::{Termination, check_time, check_time_now};
pub use self::heap::has_room;
pub use self::integers::{boxed, boxed_in, is_safe, set_unboxed, unboxed};
pub(crate) use self::memory::{Caller, limit_of, memory_left, unlimited};
pub use self::memory::{ensure_reserve, make_room, set_memory_limit};
use self::memory::{is_ample, limited, without_limit};
pub use self::natives::{Offset, TimeZone, ZoneName, install_natives};
pub(crate) use self::resume::{Interrupted, Resumed, begin, continue_interrupted, resume};
pub(crate) use self::thread_group::{keep_thread_groups, set_thread_group, thread_group_of};
pub(crate) use self::thread_taker::taking_threads;
use crate::error::{CHUNK_NAME, Frame, MAX_FRAMES, NOT_ENOUGH_MEMORY};

/// Creates a string.
///
/// # Errors
/// If there is not enough memory.
pub fn string(lua: &Lua, bytes: &[u8]) -> LuaResult<LuaValue> {
    if !is_ample(lua, bytes.len()) {
        return lua.create_string(bytes).map(LuaValue::String);
    }
    // SAFETY: one value is pushed and popped again. The memory for it is available, so no error is raised that would have to be caught;
    // catching costs more than everything else here.
    Ok(unsafe {
        lua.exec_raw_lua(|lua_in_use| {
            ffi::lua_pushlstring(lua_in_use.state(), bytes.as_ptr().cast(), bytes.len());
            lua_in_use.pop_value()
        })
    })
}

/// Calls `read` with the contents of a buffer, without a copy. `read` must not run a script, which could change them.
pub fn read_buffer<R>(lua: &Lua, buffer: &LuaBuffer, read: impl FnOnce(&[u8]) -> R) -> R {
    let value = LuaValue::Buffer(buffer.clone());
    // SAFETY: one value is pushed and popped again, which needs no memory. `value` keeps the buffer alive, and buffers do not move.
    let contents = lua.exec_raw_lua(|lua_in_use| unsafe {
        lua_in_use.push_value(&value).ok()?;
        let (state, mut length) = (lua_in_use.state(), 0);
        let start = ffi::lua_tobuffer(state, -1, &raw mut length).cast::<u8>();
        ffi::lua_pop(state, 1);
        (!start.is_null()).then(|| std::slice::from_raw_parts(start, length))
    });
    read(contents.unwrap_or_default())
}

/// Returns the message of the error for a failed allocation. Luau created it with the VM, so this needs no memory.
pub(crate) fn not_enough_memory(lua: &Lua) -> LuaValue {
    // SAFETY: one value is pushed and popped again. Luau finds the text in its string table, so no error is raised.
    unsafe {
        lua.exec_raw_lua(|lua_in_use| {
            ffi::lua_pushlstring(lua_in_use.state(), NOT_ENOUGH_MEMORY.as_ptr().cast(), NOT_ENOUGH_MEMORY.len());
            lua_in_use.pop_value()
        })
    }
}

/// Returns the text of a value as from `tostring`, or none if that fails: a script may define `__tostring`.
pub(crate) fn text_of(lua: &Lua, value: &LuaValue) -> Option<LuaString> {
    unsafe extern "C-unwind" fn to_text(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: Luau calls this with the value on the stack.
        unsafe { ffi::luaL_tolstring(state, 1, std::ptr::null_mut()) };
        1
    }
    if let Some(integer) = unboxed(lua, value) {
        return lua.create_string(integer.to_string()).ok();
    }
    // SAFETY: the stack holds one value before and after. The call in between is protected, so no error unwinds through `limited`.
    let text = unsafe {
        lua.exec_raw(value, |state| {
            ffi::lua_pushcfunction(state, to_text);
            ffi::lua_insert(state, 1);
            if limited(lua, limit_of(lua), || ffi::lua_pcall(state, 1, 1, 0)) != ffi::LUA_OK {
                ffi::lua_settop(state, 0);
                ffi::lua_pushnil(state);
            }
        })
    };
    text.ok().flatten()
}

/// The identity of a thread: the address of its state, unique as long as the thread is alive.
pub(crate) type ThreadId = *const c_void;

/// Returns the identity of a thread.
pub(crate) fn id_of(thread: &Thread) -> ThreadId {
    thread.state().cast()
}

/// Loads a compiled chunk with these globals. Its constants are looked up in the globals of `loader`.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn load(
    lua: &Lua,
    loader: &Thread,
    name: &CStr,
    program: &[u8],
    globals: LuaTable,
) -> LuaResult<LuaFunction> {
    clock_schedule::note_chunk(program.len());
    // SAFETY: both states belong to the same VM; `loader` keeps its own alive and never runs, and only this function uses its stack. The
    // program comes from the compiler.
    unsafe {
        lua.exec_raw(globals, |state| {
            let loader = loader.state();
            // A failed load may have left something on the stack. A new thread has room for twenty values.
            ffi::lua_settop(loader, 0);
            ffi::lua_xmove(state, loader, 1);
            ffi::luau_load(loader, name.as_ptr(), program.as_ptr().cast(), program.len(), 1);
            ffi::lua_xmove(loader, state, 1);
            ffi::lua_settop(loader, 0);
        })
    }
}

/// Closes a thread that is not running. It can no longer be resumed.
pub(crate) fn close(lua: &Lua, thread: &Thread) {
    // SAFETY: `thread` keeps its state alive, and a thread that is not running may be reset at any time. The thread moves to a smaller
    // stack. The little memory for that is available without a limit, so no error is raised. None could be caught: mlua's protected calls
    // need memory too.
    let reset = |_: &_| unsafe {
        let state = thread.state();
        if ffi::lua_status(state) == ffi::LUA_YIELD || ffi::lua_gettop(state) > 0 {
            ffi::lua_resetthread(state);
        }
    };
    without_limit(lua, || lua.exec_raw_lua(reset));
}

/// Returns the call stack of `thread`, innermost first. For a failed thread it is the stack at the failure.
pub(crate) fn frames(thread: &Thread) -> Vec<Frame> {
    // SAFETY: `thread` keeps its state alive. The names are null or strings that live as long as the function they describe, which is on
    // the stack.
    let frame = |info: &ffi::lua_Debug| unsafe { Frame::new(text(info.short_src), info.currentline, text(info.name)) };
    // SAFETY: the options ask only for text and numbers.
    let levels = (0..).map_while(|level| unsafe { at_level(thread.state(), level, c"sln", frame) });
    levels.take(MAX_FRAMES).flatten().collect()
}

/// Returns the name of the innermost chunk on the stack of `thread` that the host named; see [`ChunkName`](crate::chunk::ChunkName).
pub(crate) fn requirer(thread: &Thread) -> Option<String> {
    let name = |info: &ffi::lua_Debug| {
        if info.source.is_null() {
            return None;
        }
        // SAFETY: the source is a string that lives as long as its function, which is on the stack.
        let source = unsafe { CStr::from_ptr(info.source) }.to_bytes();
        // C functions are named `=[C]`.
        let name = source.strip_prefix(b"=").filter(|name| ![CHUNK_NAME.as_bytes(), b"[C]"].contains(name))?;
        Some(String::from_utf8_lossy(name).into_owned())
    };
    // A script may have called itself thousands of times.
    check_clock_soon();
    // SAFETY: `thread` keeps its state alive. The option asks only for text.
    (0..).map_while(|level| unsafe { at_level(thread.state(), level, c"s", name) }).flatten().next()
}

/// Reads what Luau says of a stack level, from 0. Returns none if there is no such level. The text is part of the struct, so it must not be
/// moved.
///
/// # Safety
/// `state` is alive. `what` asks for nothing that is pushed.
unsafe fn at_level<R>(
    state: *mut ffi::lua_State,
    level: c_int,
    what: &CStr,
    read: impl FnOnce(&ffi::lua_Debug) -> R,
) -> Option<R> {
    // SAFETY: a `lua_Debug` is plain data, for which zero is a valid value.
    let mut info: ffi::lua_Debug = unsafe { std::mem::zeroed() };
    // SAFETY: the caller's promise.
    let exists = unsafe { ffi::lua_getinfo(state, level, what.as_ptr(), &raw mut info) } != 0;
    exists.then(|| read(&info))
}

/// The maximum length of a reported name, in bytes: a script may give its functions names of many megabytes.
const MAX_NAME_BYTES: usize = 256;

/// # Safety
/// `pointer` is null or points to a C string.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise. No byte after the zero is read.
    let bytes = (0..=MAX_NAME_BYTES).map(|index| unsafe { *pointer.add(index).cast::<u8>() });
    let bytes: Vec<u8> = bytes.take_while(|&byte| byte != 0).collect();
    Some(match bytes.get(..MAX_NAME_BYTES) {
        Some(start) if start.len() < bytes.len() => String::from_utf8_lossy(start).into_owned() + "…",
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// Returns true if `thread` can be resumed: it has yielded, or has not started. Like mlua's check, except for threads that have resumed
/// another one; while no thread runs there are none.
pub(crate) fn is_resumable(thread: &Thread) -> bool {
    // SAFETY: `thread` keeps its state alive, and nothing is changed.
    unsafe {
        match ffi::lua_status(thread.state()) {
            ffi::LUA_YIELD => true,
            ffi::LUA_OK => ffi::lua_gettop(thread.state()) > 0,
            _ => false,
        }
    }
}

/// Returns true if `thread`, which is not running, yielded in our own Luau code.
pub(crate) fn waits_for_us(thread: &Thread) -> bool {
    // SAFETY: `thread` keeps its state alive. The innermost level is `coroutine.yield`.
    unsafe { is_our_code(thread.state(), 1) }
}

/// Returns true if the function at a stack level, from 0, is our own Luau code.
///
/// # Safety
/// `state` is alive.
unsafe fn is_our_code(state: *mut ffi::lua_State, level: c_int) -> bool {
    // SAFETY: the text lives as long as the function.
    let is_ours = |info: &ffi::lua_Debug| unsafe {
        !info.short_src.is_null() && CStr::from_ptr(info.short_src).to_bytes() == CHUNK_NAME.as_bytes()
    };
    // SAFETY: the caller's promise. The option asks only for text.
    unsafe { at_level(state, level, c"s", is_ours) }.unwrap_or(false)
}
