//! The calls into Luau's C API that mlua has no safe form of. All `unsafe` code of the crate stands here.

use std::ffi::{CStr, c_char};

use mlua::prelude::*;
use mlua::{Thread, ffi};

use crate::error::Frame;

/// How a thread came back from [`resume`].
#[derive(Debug)]
pub(crate) enum Resumed {
    /// It waits to be resumed again. What it yielded is dropped: the scheduler has no use for it.
    Yielded,
    /// Its function returned. What it returned is dropped, for the same reason.
    Finished,
    /// It ended with an error: the value that was thrown, and where, innermost first.
    Failed { value: LuaValue, frames: Vec<Frame> },
}

/// Resumes `thread` with `args`.
///
/// mlua's own `Thread::resume` turns the error into text and loses the value that was thrown.
///
/// # Errors
/// When there is no memory for the arguments.
pub(crate) fn resume(lua: &Lua, thread: &Thread, args: LuaMultiValue) -> LuaResult<Resumed> {
    let mut status = ffi::LUA_OK;
    let mut frames = Vec::new();
    let mut error = {
        let (status, frames) = (&mut status, &mut frames);
        let run = move |state: *mut ffi::lua_State| {
            let coroutine = thread.state();
            // SAFETY: `exec_raw` runs this under Luau's error protection, with nothing on the stack but the
            // arguments; both states belong to the same VM, and `thread` keeps the coroutine alive.
            unsafe {
                let count = ffi::lua_gettop(state);
                ffi::luaL_checkstack(coroutine, count, c"too many arguments to resume a thread".as_ptr());
                ffi::lua_xmove(state, coroutine, count);
                *status = ffi::lua_resume(coroutine, state, count, std::ptr::null_mut());
                match *status {
                    ffi::LUA_OK | ffi::LUA_YIELD => ffi::lua_settop(coroutine, 0),
                    _ => {
                        *frames = stack(coroutine);
                        ffi::lua_xmove(coroutine, state, 1);
                    }
                }
            }
        };
        // SAFETY: `run` leaves one value or none, and drops nothing when an error passes through it: what it
        // borrows lives in this function.
        unsafe { lua.exec_raw::<LuaMultiValue>(args, run) }?
    };
    Ok(match status {
        ffi::LUA_OK => Resumed::Finished,
        ffi::LUA_YIELD => Resumed::Yielded,
        _ => Resumed::Failed { value: error.pop_front().unwrap_or(LuaNil), frames },
    })
}

/// How many levels of a stack are told: who overflows it has twenty thousand, all alike.
const MOST_FRAMES: i32 = 100;

/// Where `thread` stands, innermost first; of a thread that failed, where it failed.
pub(crate) fn frames(thread: &Thread) -> Vec<Frame> {
    // SAFETY: `thread` keeps its state alive; reading its frames raises no error and changes nothing.
    unsafe { stack(thread.state()) }
}

/// # Safety
/// `state` is alive.
unsafe fn stack(state: *mut ffi::lua_State) -> Vec<Frame> {
    let mut frames = Vec::new();
    for level in 0..MOST_FRAMES {
        // SAFETY: a `lua_Debug` is plain data, for which zero is a valid value.
        let mut info: ffi::lua_Debug = unsafe { std::mem::zeroed() };
        // SAFETY: the caller's promise; the options only ask for text and numbers, nothing is pushed.
        if unsafe { ffi::lua_getinfo(state, level, c"sln".as_ptr(), &raw mut info) } == 0 {
            break;
        }
        // SAFETY: the names are null or strings that live as long as the function they describe, which is on the stack.
        let (chunk_name, name) = unsafe { (text(info.short_src), text(info.name)) };
        frames.extend(Frame::new(chunk_name, info.currentline, name));
    }
    frames
}

/// # Safety
/// `pointer` is null or points to a C string.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}
