//! Resumes threads from outside Luau, and continues interrupted ones.

use std::ffi::c_int;

use mlua::prelude::*;
use mlua::{Thread, ffi};

use super::frames;
use super::guard::Guard;
use super::integers::{box_all, unbox_all, unboxed};
use super::memory::{limited, make_room_again, without_limit};
use crate::error::Frame;

/// The outcome of [`resume`] or [`continue_interrupted`].
#[derive(Debug)]
pub(crate) enum Resumed {
    /// The thread waits to be resumed again. The yielded values are dropped, because the scheduler has no use for them.
    Yielded,
    /// The thread's slice is over. Only [`continue_interrupted`] or [`end`](Interrupted::end) may be called with it.
    Interrupted(Interrupted),
    /// The thread's function returned. The results are dropped, for the same reason.
    Finished,
    /// The thread failed with this value. The frames are innermost first.
    Failed { value: LuaValue, frames: Vec<Frame> },
}

/// An interrupted thread, with the threads that it had resumed.
#[derive(Debug)]
#[must_use = "dropping it leaves threads that cannot be resumed or closed"]
pub(crate) struct Interrupted {
    /// The thread that the scheduler resumed. It keeps all others alive: each is on the stack of the one that resumed it.
    thread: Thread,
    /// The threads that it had resumed, beginning with the one that ran.
    chain: Vec<*mut ffi::lua_State>,
}

impl Interrupted {
    /// Returns the thread that the scheduler resumed.
    pub(crate) fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Ends all of these threads. They lose their stacks, and can no longer be resumed.
    pub(crate) fn end(self, lua: &Lua) {
        // SAFETY: `thread` keeps them alive, none of them runs, and interrupted threads may be reset. Nothing is left on the stack. A reset
        // fails only for lack of memory, and even then nothing resumes them.
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

/// The number of arguments that always fit on the stack of a thread that is about to be resumed: a quarter of the room that Luau guarantees
/// to each C call.
const MAX_FEW_ARGS: usize = 5;

/// Resumes `thread` with `args`, with `guard` answering interrupts.
///
/// mlua's own `Thread::resume` turns the error into text and loses the thrown value.
///
/// # Errors
/// If there is not enough memory for the arguments, or for the error that the thread failed with.
pub(crate) fn resume(lua: &Lua, guard: &Guard, thread: &Thread, args: LuaMultiValue) -> LuaResult<Resumed> {
    if need_protection(lua, &args) {
        run(lua, guard, thread, Vec::new(), args)
    } else {
        run_with_few(lua, guard, thread, None, &args)
    }
}

/// Reuses `thread`, which has returned, to call `function`. Otherwise like [`resume`].
///
/// # Errors
/// As for [`resume`].
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

/// Returns true if there are many arguments, or if pushing one may fail.
fn need_protection(lua: &Lua, args: &LuaMultiValue) -> bool {
    // An mlua error is converted to a value first, and an integer is taken out of its box.
    let may_fail = |value: &LuaValue| matches!(value, LuaValue::Error(_)) || unboxed(lua, value).is_some();
    args.len() > MAX_FEW_ARGS || args.iter().any(may_fail)
}

/// Does the same as [`run`] for a thread that was not interrupted, in half the time.
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
    // SAFETY: both states belong to the same VM, and `thread` keeps its own alive. Nothing here needs memory, so no error is raised that
    // would have to be caught, unlike in `run`: the values exist already, there is room for them, and `lua_resume` catches the thread's
    // errors.
    let status = lua.exec_raw_lua(|lua_in_use| unsafe {
        let state = lua_in_use.state();
        if function.is_some() {
            // Its previous function may have given it globals of its own.
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

/// Returns the outcome for `thread`, given the `status` from `lua_resume`, and the threads of `chain` that were interrupted in it.
fn resumed(lua: &Lua, thread: &Thread, status: c_int, chain: Vec<*mut ffi::lua_State>) -> LuaResult<Resumed> {
    let coroutine = thread.state();
    match status {
        ffi::LUA_BREAK => Ok(Resumed::Interrupted(Interrupted { thread: thread.clone(), chain })),
        ffi::LUA_OK | ffi::LUA_YIELD => {
            // SAFETY: `thread` keeps its state alive, and it is not running. Popping values needs no memory.
            unsafe { ffi::lua_settop(coroutine, 0) };
            Ok(if status == ffi::LUA_OK { Resumed::Finished } else { Resumed::Yielded })
        }
        _ => {
            let frames = frames(thread);
            // SAFETY: the error is the only value on the stack of the failed thread, and becomes the only one on the stack of `exec_raw`.
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

/// Continues an interrupted thread.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn continue_interrupted(lua: &Lua, guard: &Guard, interrupted: Interrupted) -> LuaResult<Resumed> {
    let Interrupted { thread, chain } = interrupted;
    // Without values: Luau would take them for the results of the interrupted call.
    run(lua, guard, &thread, chain, LuaMultiValue::new())
}

/// Resumes the threads of `chain` and then `thread`. A thread that was interrupted while it waited for another one is resumed after it, and
/// takes the results from its stack.
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
            // SAFETY: `exec_raw` runs this under Luau's error protection, with only the arguments for the first thread on the stack. All
            // states belong to the same VM, and `thread` keeps them alive.
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
        // SAFETY: `run` leaves nothing on the stack, and has nothing to drop when an error unwinds through it: it only borrows from this
        // function.
        unsafe { lua.exec_raw::<()>(args, run) }?;
    }
    resumed(lua, thread, status, chain)
}
