//! The library `task`, after Roblox's: <https://create.roblox.com/docs/reference/engine/libraries/task>.
//!
//! `spawn` and `cancel` are written in Luau (`task.luau`), and so are two functions of `coroutine` that have to
//! tell the scheduler of what they do.

use mlua::prelude::*;

use crate::bind::{self, Args, Binder, Callee};
use crate::error::ScriptError;
use crate::failure::Failure;
use crate::raw;
use crate::scheduler::Scheduler;

/// What `task.wait` waits at least, in milliseconds: less would let `while task.wait() do` keep a core busy.
pub const SHORTEST_WAIT: f64 = 4.0;

/// Scripts count in seconds, the scheduler in milliseconds.
pub(crate) const MILLISECONDS_PER_SECOND: f64 = 1_000.0;

/// Adds `task` to the globals of `lua`, and puts our `close` and `running` into `coroutine`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, binder: &Binder, scheduler: &Scheduler) -> LuaResult<()> {
    let in_luau = luau_part(lua, scheduler)?;
    let task = lua.create_table()?;
    for name in ["spawn", "cancel"] {
        task.raw_set(name, in_luau.raw_get::<LuaFunction>(name)?)?;
    }
    let coroutine: LuaTable = lua.globals().raw_get("coroutine")?;
    for name in ["close", "running"] {
        coroutine.raw_set(name, in_luau.raw_get::<LuaFunction>(name)?)?;
    }

    let (of_defer, of_threads) = (scheduler.clone(), scheduler.clone());
    task.raw_set(
        "defer",
        binder.making_threads(
            lua,
            Callee::Function("defer"),
            move |lua, args| {
                let thread = thread_to_run(lua, &args, 1)?;
                of_defer.defer(thread.clone(), args.rest(2));
                Ok(thread)
            },
            move |thread| of_threads.defer(thread, LuaMultiValue::new()),
        )?,
    )?;

    let of_delay = scheduler.clone();
    task.raw_set(
        "delay",
        binder.plain(lua, Callee::Function("delay"), move |lua, args| {
            let milliseconds = duration(args.optional_number(1)?);
            let thread = thread_to_run(lua, &args, 2)?;
            of_delay.delay(milliseconds, thread.clone(), args.rest(3));
            Ok(thread)
        })?,
    )?;

    let of_wait = scheduler.clone();
    task.raw_set(
        "wait",
        binder.parking(lua, Callee::Function("wait"), move |lua, args| {
            of_wait.sleep(lua, duration(args.optional_number(1)?).max(SHORTEST_WAIT));
            Ok(())
        })?,
    )?;

    lua.globals().raw_set("task", task)
}

fn luau_part(lua: &Lua, scheduler: &Scheduler) -> LuaResult<LuaTable> {
    let of_report = scheduler.clone();
    let report = bind::internal(lua, move |lua, (thread, value): (LuaThread, LuaValue)| {
        of_report.report(ScriptError::thrown(lua, value, raw::frames(&thread)));
        Ok(())
    })?;
    let of_forget = scheduler.clone();
    let forget = bind::internal(lua, move |_, thread: LuaThread| {
        of_forget.forget(&thread);
        Ok(())
    })?;
    let of_seen = scheduler.clone();
    let seen = bind::internal(lua, move |_, ()| {
        of_seen.mark_seen();
        Ok(())
    })?;
    bind::load(lua, include_str!("task.luau"), (report, forget, seen))
}

/// Seconds from a script as milliseconds: what is no duration is none.
fn duration(seconds: Option<f64>) -> f64 {
    // `max` turns NaN into the zero.
    seconds.unwrap_or(0.0).max(0.0) * MILLISECONDS_PER_SECOND
}

fn thread_to_run(lua: &Lua, args: &Args, index: usize) -> Result<LuaThread, Failure> {
    match args.value(index) {
        LuaValue::Function(function) => Ok(lua.create_thread(function)?),
        LuaValue::Thread(thread) if thread.is_finished() || thread.is_error() => {
            Err(Failure::new("cannot resume dead coroutine"))
        }
        LuaValue::Thread(thread) => Ok(thread),
        _ => Err(args.mismatch(index, "function or thread")),
    }
}
