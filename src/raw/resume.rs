//! Resuming threads from outside of Luau, and going on with those that were interrupted.

use std::ffi::c_int;

use mlua::prelude::*;
use mlua::{Thread, ffi};

use super::frames;
use super::guard::Guard;
use super::integers::{box_all, unbox_all, unboxed};
use super::memory::{limited, make_room_again, without_limit};
use crate::error::Frame;

/// How a thread came back from [`resume`] or [`go_on`].
#[derive(Debug)]
pub(crate) enum Resumed {
    /// It waits to be resumed again. What it yielded is dropped: the scheduler has no use for it.
    Yielded,
    /// Its slice is over. Nothing but [`go_on`] may be done with it, or [`end`](Interrupted::end).
    Interrupted(Interrupted),
    /// Its function returned. What it returned is dropped, for the same reason.
    Finished,
    /// It ended with an error: the value that was thrown, and where, innermost first.
    Failed { value: LuaValue, frames: Vec<Frame> },
}

/// A thread that was interrupted, with those that it had resumed.
#[derive(Debug)]
#[must_use = "who lets go of it leaves threads that nobody can resume or close"]
pub(crate) struct Interrupted {
    /// What the scheduler resumed. It keeps all the others alive: each stands on the stack of the one that resumed it.
    thread: Thread,
    /// Those that it had resumed, beginning with the one that ran.
    chain: Vec<*mut ffi::lua_State>,
}

impl Interrupted {
    /// What the scheduler had resumed.
    pub(crate) fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Ends all of them: what they were doing is dropped, and they cannot be resumed any more.
    pub(crate) fn end(self, lua: &Lua) {
        // SAFETY: `thread` keeps them alive, none of them runs, and one that was interrupted may be reset; nothing is left on
        // the stack. It fails for want of memory only, and then nobody resumes them either.
        let reset = || unsafe {
            lua.exec_raw::<()>((), |_| {
                for state in self.chain.iter().copied().chain([self.thread.state()]) {
                    ffi::lua_resetthread(state);
                }
            })
        };
        let _ = without_limit(lua, reset);
    }
}

/// So many arguments fit on the stack of a thread that is about to be resumed, whatever it did before: a quarter of what Luau
/// has room for in each call of C.
const FEW: usize = 5;

/// Resumes `thread` with `args`, with `guard` as the one that is asked at interrupts.
///
/// mlua's own `Thread::resume` turns the error into text and loses the value that was thrown.
///
/// # Errors
/// When there is no memory for the arguments, or for the error that it ended with.
pub(crate) fn resume(lua: &Lua, guard: &Guard, thread: &Thread, args: LuaMultiValue) -> LuaResult<Resumed> {
    if need_protection(lua, &args) {
        run(lua, guard, thread, Vec::new(), args)
    } else {
        run_with_few(lua, guard, thread, None, &args)
    }
}

/// Has `thread`, which has come to its end by returning, call `function`. What else is as for [`resume`].
///
/// # Errors
/// As [`resume`].
pub(crate) fn begin(
    lua: &Lua,
    guard: &Guard,
    thread: &Thread,
    function: LuaFunction,
    args: LuaMultiValue,
) -> LuaResult<Resumed> {
    if need_protection(lua, &args) {
        thread.reset(function)?;
        return run(lua, guard, thread, Vec::new(), args);
    }
    run_with_few(lua, guard, thread, Some(&LuaValue::Function(function)), &args)
}

/// Returns true if there are many arguments, or putting one onto a stack may fail.
fn need_protection(lua: &Lua, args: &LuaMultiValue) -> bool {
    // An error of mlua's is made into a value first, and an integer is taken out of its box.
    let may_fail = |value: &LuaValue| matches!(value, LuaValue::Error(_)) || unboxed(lua, value).is_some();
    args.len() > FEW || args.iter().any(may_fail)
}

/// What [`run`] does for a thread that was not interrupted, in half the time.
fn run_with_few(
    lua: &Lua,
    guard: &Guard,
    thread: &Thread,
    function: Option<&LuaValue>,
    args: &LuaMultiValue,
) -> LuaResult<Resumed> {
    let limit = guard.memory_limit();
    make_room_again(lua, limit);
    let coroutine = thread.state();
    // SAFETY: both states belong to the same VM, and `thread` keeps its own alive. Nothing here needs memory, so nothing raises an
    // error that would have to be caught, as `run` has it: the values are there already, there is room for them, and
    // `lua_resume` catches what the thread throws.
    let status = lua.exec_raw_lua(|lua_in_use| unsafe {
        let state = lua_in_use.state();
        if function.is_some() {
            // Its last function may have given it globals of its own.
            ffi::lua_xpush(ffi::lua_mainthread(state), coroutine, ffi::LUA_GLOBALSINDEX);
            ffi::lua_replace(coroutine, ffi::LUA_GLOBALSINDEX);
        }
        for value in function.into_iter().chain(args) {
            lua_in_use.push_value(value).map(|()| ffi::lua_xmove(state, coroutine, 1))?;
        }
        guard.note_resumed(coroutine);
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are a few")]
        let count = args.len() as c_int;
        LuaResult::Ok(limited(lua, limit, || ffi::lua_resume(coroutine, state, count, std::ptr::null_mut())))
    })?;
    let chain = if status == ffi::LUA_BREAK { guard.take_interrupted() } else { Vec::new() };
    resumed(lua, thread, status, chain)
}

/// How `thread` came back, of which `lua_resume` said `status`, and the threads of `chain` were interrupted in it.
fn resumed(lua: &Lua, thread: &Thread, status: c_int, chain: Vec<*mut ffi::lua_State>) -> LuaResult<Resumed> {
    let coroutine = thread.state();
    match status {
        ffi::LUA_BREAK => Ok(Resumed::Interrupted(Interrupted { thread: thread.clone(), chain })),
        ffi::LUA_OK | ffi::LUA_YIELD => {
            // SAFETY: `thread` keeps its state alive, which does not run. To take values off needs no memory.
            unsafe { ffi::lua_settop(coroutine, 0) };
            Ok(if status == ffi::LUA_OK { Resumed::Finished } else { Resumed::Yielded })
        }
        _ => {
            let frames = frames(thread);
            // SAFETY: the error is the one value on the stack of the thread, which ended with it, and becomes the one on that of `exec_raw`.
            let value = unsafe {
                lua.exec_raw((), |state| {
                    ffi::lua_xmove(coroutine, state, 1);
                    box_all(state);
                })
            }?;
            Ok(Resumed::Failed { value, frames })
        }
    }
}

/// Goes on with what was interrupted.
///
/// # Errors
/// When there is no memory.
pub(crate) fn go_on(lua: &Lua, guard: &Guard, interrupted: Interrupted) -> LuaResult<Resumed> {
    let Interrupted { thread, chain } = interrupted;
    // Without values: they would be taken for those of the call that was interrupted.
    run(lua, guard, &thread, chain, LuaMultiValue::new())
}

/// Resumes the threads of `chain` and then `thread`: one that was interrupted while it waited for another is resumed after that one,
/// and takes from its stack what it came back with.
fn run(
    lua: &Lua,
    guard: &Guard,
    thread: &Thread,
    mut chain: Vec<*mut ffi::lua_State>,
    args: LuaMultiValue,
) -> LuaResult<Resumed> {
    let limit = guard.memory_limit();
    make_room_again(lua, limit);
    let mut status = ffi::LUA_OK;
    {
        let (status, chain) = (&mut status, &mut chain);
        let run = move |state: *mut ffi::lua_State| {
            // SAFETY: `exec_raw` runs this under Luau's error protection, with nothing on the stack but the arguments, which
            // are for the first; all states belong to the same VM, and `thread` keeps them alive.
            unsafe {
                unbox_all(state, 1);
                let mut count = ffi::lua_gettop(state);
                loop {
                    let inner = chain.first().copied();
                    let coroutine = inner.unwrap_or(thread.state());
                    if ffi::lua_checkstack(coroutine, count) == 0 {
                        ffi::luaL_error(state, c"too many arguments to resume a thread".as_ptr());
                    }
                    ffi::lua_xmove(state, coroutine, count);
                    guard.note_resumed(coroutine);
                    *status = limited(lua, limit, || ffi::lua_resume(coroutine, state, count, std::ptr::null_mut()));
                    count = 0;
                    if *status == ffi::LUA_BREAK {
                        chain.splice(..0, guard.take_interrupted());
                        return;
                    }
                    if inner.is_none() {
                        return;
                    }
                    chain.remove(0);
                }
            }
        };
        // SAFETY: `run` leaves nothing on the stack, and drops nothing when an error passes through it: what it borrows lives in this
        // function.
        unsafe { lua.exec_raw::<()>(args, run) }?;
    }
    resumed(lua, thread, status, chain)
}
