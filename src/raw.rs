//! The calls into Luau's C API that mlua has no safe form of. All `unsafe` code of the crate stands here.

mod allocator;
mod compile;
mod environment;
mod family;
mod flags;
mod garbage;
mod guard;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod heap;
#[cfg(not(all(target_arch = "wasm32", feature = "module")))]
#[path = "raw/system_heap.rs"]
mod heap;
mod integers;
mod memory;
mod natives;
mod references;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod require;
mod resume;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod stack;
mod threads;

use std::ffi::{CStr, c_char, c_int, c_void};

use mlua::prelude::*;
use mlua::{Thread, ffi};

pub(crate) use self::allocator::refuse_memory;
pub(crate) use self::compile::{compile, syntax_errors};
pub(crate) use self::environment::{calling_environment, environment_functions};
pub(crate) use self::family::{family_of, keep_families, set_family};
pub(crate) use self::flags::set_flags;
pub(crate) use self::garbage::install_collectgarbage;
pub(crate) use self::guard::{
    Doom, Guard, check_time, check_time_now, guarded, is_guarded, note_read, set_interrupts, was_refused_memory,
};
pub(crate) use self::heap::has_room;
pub(crate) use self::integers::{boxed, boxed_in, is_safe, set_unboxed, unboxed};
pub use self::memory::set_memory_limit;
pub(crate) use self::memory::{
    has_memory_to_resume, limit_of, make_room, memory_left, unlimited, unlimited_internal, unlimited_plain,
};
use self::memory::{is_ample, limited, without_limit};
pub(crate) use self::natives::{Offset, TimeZone, ZoneName, install_natives};
pub(crate) use self::resume::{Interrupted, Resumed, begin, go_on, resume};
pub(crate) use self::threads::unlimited_making_threads;
use crate::error::{CHUNK_NAME, Frame, NOT_ENOUGH_MEMORY};

/// A string, or an error where there is no memory for it.
pub(crate) fn string(lua: &Lua, bytes: &[u8]) -> LuaResult<LuaValue> {
    if !is_ample(lua, bytes.len()) {
        return lua.create_string(bytes).map(LuaValue::String);
    }
    // SAFETY: one value is left on the stack, and taken off it again. The memory for it is there, so no error is raised, which would
    // have to be caught: to have it caught costs more than all else here.
    Ok(unsafe {
        lua.exec_raw_lua(|lua_in_use| {
            ffi::lua_pushlstring(lua_in_use.state(), bytes.as_ptr().cast(), bytes.len());
            lua_in_use.pop_value()
        })
    })
}

/// Returns the text of the error for an allocation that failed. Luau made it with the VM, so this needs no memory.
pub(crate) fn not_enough_memory(lua: &Lua) -> LuaValue {
    // SAFETY: one value is left on the stack, and taken off it again. Luau finds the text in its table of strings, so no error is raised.
    unsafe {
        lua.exec_raw_lua(|lua_in_use| {
            ffi::lua_pushlstring(lua_in_use.state(), NOT_ENOUGH_MEMORY.as_ptr().cast(), NOT_ENOUGH_MEMORY.len());
            lua_in_use.pop_value()
        })
    }
}

/// The text of a value, as `tostring` makes it; none if that fails: `__tostring` is the script's own.
pub(crate) fn text_of(lua: &Lua, value: &LuaValue) -> Option<LuaString> {
    unsafe extern "C-unwind" fn to_text(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: Luau calls this with the value on the stack.
        unsafe { ffi::luaL_tolstring(state, 1, std::ptr::null_mut()) };
        1
    }
    if let Some(integer) = unboxed(lua, value) {
        return lua.create_string(integer.to_string()).ok();
    }
    // SAFETY: one value is on the stack, and one is left there. The call in between is protected, so no error passes over `limited`.
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

/// Which thread: the address of its state, which stands for it as long as the thread is alive.
pub(crate) type ThreadId = *const c_void;

/// What stands for a thread.
pub(crate) fn id_of(thread: &Thread) -> ThreadId {
    thread.state().cast()
}

/// Loads a compiled chunk, whose globals will be `globals`, and whose constants are looked up in those of `loader`.
///
/// # Errors
/// When there is no memory.
pub(crate) fn load(
    lua: &Lua,
    loader: &Thread,
    name: &CStr,
    program: &[u8],
    globals: LuaTable,
) -> LuaResult<LuaFunction> {
    guard::note_program(program.len());
    // SAFETY: both states belong to the same VM, `loader` keeps its own alive and never runs; its stack is this function's alone.
    // The program comes from the compiler.
    unsafe {
        lua.exec_raw(globals, |state| {
            let loader = loader.state();
            // An error in an earlier load may have left something. A new thread has room for twenty values.
            ffi::lua_settop(loader, 0);
            ffi::lua_xmove(state, loader, 1);
            ffi::luau_load(loader, name.as_ptr(), program.as_ptr().cast(), program.len(), 1);
            ffi::lua_xmove(loader, state, 1);
            ffi::lua_settop(loader, 0);
        })
    }
}

/// Ends a thread that does not run: it cannot be resumed any more.
pub(crate) fn close(lua: &Lua, thread: &Thread) {
    // SAFETY: `thread` keeps its state alive, and one that does not run may be reset at any time. The thread moves to a smaller stack. That
    // takes a little memory, which is there without a limit, so no error is raised: none could be caught, since mlua's protected calls need
    // memory too.
    let reset = |_: &_| unsafe {
        let state = thread.state();
        if ffi::lua_status(state) == ffi::LUA_YIELD || ffi::lua_gettop(state) > 0 {
            ffi::lua_resetthread(state);
        }
    };
    without_limit(lua, || lua.exec_raw_lua(reset));
}

/// How many levels of a stack are told: who overflows it has twenty thousand, all alike.
const MOST_FRAMES: i32 = 100;

/// Where `thread` stands, innermost first; of a thread that failed, where it failed.
pub(crate) fn frames(thread: &Thread) -> Vec<Frame> {
    let mut frames = Vec::new();
    for level in 0..MOST_FRAMES {
        // SAFETY: a `lua_Debug` is plain data, for which zero is a valid value.
        let mut info: ffi::lua_Debug = unsafe { std::mem::zeroed() };
        // SAFETY: `thread` keeps its state alive; the options only ask for text and numbers, nothing is pushed.
        if unsafe { ffi::lua_getinfo(thread.state(), level, c"sln".as_ptr(), &raw mut info) } == 0 {
            break;
        }
        // SAFETY: the names are null or strings that live as long as the function they describe, which is on the stack.
        let (chunk_name, name) = unsafe { (text(info.short_src), text(info.name)) };
        frames.extend(Frame::new(chunk_name, info.currentline, name));
    }
    frames
}

/// How much of a name is told, in bytes: a script may give its functions names of many megabytes.
const LONGEST_NAME: usize = 256;

/// # Safety
/// `pointer` is null or points to a C string.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise: no byte behind the zero is looked at.
    let bytes = (0..=LONGEST_NAME).map(|index| unsafe { *pointer.add(index).cast::<u8>() });
    let bytes: Vec<u8> = bytes.take_while(|&byte| byte != 0).collect();
    Some(match bytes.get(..LONGEST_NAME) {
        Some(start) if start.len() < bytes.len() => String::from_utf8_lossy(start).into_owned() + "…",
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// Whether `thread` can be resumed: it waits, or has not begun. As mlua tells it, but for what only asks of a thread that has resumed
/// another one, of which there is none while no thread runs.
pub(crate) fn is_resumable(thread: &Thread) -> bool {
    // SAFETY: `thread` keeps its state alive; nothing is changed.
    unsafe {
        match ffi::lua_status(thread.state()) {
            ffi::LUA_YIELD => true,
            ffi::LUA_OK => ffi::lua_gettop(thread.state()) > 0,
            _ => false,
        }
    }
}

/// Whether `thread`, which does not run, yielded in Luau code of ours.
pub(crate) fn waits_for_us(thread: &Thread) -> bool {
    // SAFETY: `thread` keeps its state alive. The innermost level is `coroutine.yield`.
    unsafe { is_our_code(thread.state(), 1) }
}

/// Whether the function at a level of the stack, from 0, is Luau code of ours.
///
/// # Safety
/// `state` is alive.
unsafe fn is_our_code(state: *mut ffi::lua_State, level: c_int) -> bool {
    // SAFETY: a `lua_Debug` is plain data, for which zero is a valid value.
    let mut info: ffi::lua_Debug = unsafe { std::mem::zeroed() };
    // SAFETY: the caller's promise; only text is asked for, nothing is pushed, and it lives as long as the function.
    unsafe {
        ffi::lua_getinfo(state, level, c"s".as_ptr(), &raw mut info) != 0
            && !info.short_src.is_null()
            && CStr::from_ptr(info.short_src).to_bytes() == CHUNK_NAME.as_bytes()
    }
}
