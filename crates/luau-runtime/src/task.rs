//! The library `task`, modeled on Roblox's: <https://create.roblox.com/docs/reference/engine/libraries/task>.
//!
//! `spawn`, `defer` and `cancel` are written in Luau (`task.luau`), as are two functions of `coroutine` that must notify the scheduler.

use mlua::prelude::*;

use crate::call_error::CallError;
use crate::error::ScriptError;
use crate::ffi;
use crate::function::{self, Callee, FunctionBuilder};
use crate::scheduler::{Arguments, Scheduler};

/// The minimum time that `task.wait` waits, in milliseconds. With less, `while task.wait() do` would keep a core busy.
pub const MIN_WAIT_MS: f64 = 4.0;

/// The number of milliseconds per second. Scripts count in seconds, the scheduler in milliseconds.
pub(crate) const MILLISECONDS_PER_SECOND: f64 = 1_000.0;

/// Adds `task` to the globals of `lua`, and replaces `close` and `running` in `coroutine`.
///
/// # Errors
/// If there is not enough memory.
pub fn install(lua: &Lua, builder: &FunctionBuilder, scheduler: &Scheduler) -> LuaResult<()> {
    let in_luau = luau_part(lua, scheduler)?;
    let task = lua.create_table()?;
    for name in ["spawn", "defer", "cancel"] {
        task.raw_set(name, in_luau.raw_get::<LuaFunction>(name)?)?;
    }
    let coroutine: LuaTable = lua.globals().raw_get("coroutine")?;
    for name in ["close", "running"] {
        coroutine.raw_set(name, in_luau.raw_get::<LuaFunction>(name)?)?;
    }

    task.raw_set("delay", {
        let scheduler = scheduler.clone();
        builder.sync(lua, Callee::Function("delay"), move |lua, args| {
            let milliseconds = duration(args.optional_number(1)?);
            let thread = match args.value(2) {
                LuaValue::Function(function) => lua.create_thread(function)?,
                LuaValue::Thread(thread) if thread.is_finished() || thread.is_error() => {
                    return Err(CallError::new("cannot resume dead coroutine"));
                }
                LuaValue::Thread(thread) => thread,
                _ => return Err(args.mismatch(2, "function or thread")),
            };
            scheduler.delay(milliseconds, thread.clone(), Arguments::of_script(lua, args.rest(3))?);
            Ok(thread)
        })?
    })?;

    task.raw_set("wait", {
        let scheduler = scheduler.clone();
        builder.yielding(lua, Callee::Function("wait"), move |lua, args| {
            scheduler.sleep(lua, duration(args.optional_number(1)?).max(MIN_WAIT_MS));
            Ok(())
        })?
    })?;

    lua.globals().raw_set("task", task)
}

fn luau_part(lua: &Lua, scheduler: &Scheduler) -> LuaResult<LuaTable> {
    let report = {
        let scheduler = scheduler.clone();
        function::internal(lua, move |lua, (thread, value): (LuaThread, LuaValue)| {
            scheduler.report(ScriptError::thrown(lua, value, ffi::frames(&thread)));
            Ok(())
        })?
    };
    let forget = {
        let scheduler = scheduler.clone();
        function::internal(lua, move |_, thread: LuaThread| {
            scheduler.forget(&thread);
            Ok(())
        })?
    };
    let note_seen = {
        let scheduler = scheduler.clone();
        function::internal(lua, move |_, ()| {
            scheduler.note_seen();
            Ok(())
        })?
    };
    let queue = {
        let scheduler = scheduler.clone();
        let take = {
            let scheduler = scheduler.clone();
            move |thread| scheduler.defer(thread, Arguments::from(LuaMultiValue::new()))
        };
        function::taking_threads(lua, take, move |lua, mut values: LuaMultiValue| {
            // The Luau code passes nothing else first.
            let Some(LuaValue::Thread(thread)) = values.pop_front() else { return Ok(LuaNil) };
            match Arguments::of_script(lua, values) {
                Ok(arguments) => {
                    scheduler.defer(thread, arguments);
                    Ok(LuaNil)
                }
                Err(error) => Ok(CallError::from(error).into_thrown(lua).0),
            }
        })?
    };
    function::load(lua, include_str!("task.luau"), (report, forget, note_seen, queue))
}

/// Converts seconds from a script to milliseconds. Returns 0 for values that are not durations.
fn duration(seconds: Option<f64>) -> f64 {
    // `max` turns NaN into zero.
    seconds.unwrap_or(0.0).max(0.0) * MILLISECONDS_PER_SECOND
}
