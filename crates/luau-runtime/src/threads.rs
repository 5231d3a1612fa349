//! Threads that report their end, no matter how they end or which code resumed them last.

use std::fmt;

use mlua::prelude::*;

use crate::error::{Frame, Kind, NOT_ENOUGH_MEMORY, ScriptError};
use crate::ffi::{self, Termination};
use crate::function;
pub use crate::scheduler::OnEnd;
use crate::scheduler::Scheduler;

/// A factory for threads that report their end.
pub struct Threads {
    /// The body of all threads; see `threads.luau`.
    body: LuaFunction,
    scheduler: Scheduler,
}

/// Luau's message for an error in an error handler. Ours fails only for lack of memory.
const ERROR_IN_HANDLING: &str = "error in error handling";

fn error_of(lua: &Lua, value: LuaValue, frames: Vec<Frame>) -> ScriptError {
    let error = ScriptError::thrown(lua, value, frames);
    if error.message == ERROR_IN_HANDLING && ffi::was_refused_memory() {
        return ScriptError { kind: Kind::Memory, message: NOT_ENOUGH_MEMORY.to_owned(), ..error };
    }
    error
}

/// Returns the error of a terminated thread. `error` may be another one, if the text of the termination could not be created.
fn terminated(error: ScriptError, termination: &Termination) -> ScriptError {
    let message = termination.to_string();
    let message = if error.message.ends_with(&message) { error.message.clone() } else { message };
    ScriptError { kind: termination.kind(), message, ..error }
}

impl Threads {
    /// Creates a factory for threads of `lua`.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn new(lua: &Lua, scheduler: &Scheduler) -> LuaResult<Self> {
        let trace = {
            let scheduler = scheduler.clone();
            function::internal(lua, move |lua, value: LuaValue| {
                let thread = lua.current_thread();
                scheduler.note_frames(&thread, ffi::frames(&thread));
                Ok(value)
            })?
        };
        let finish = {
            let scheduler = scheduler.clone();
            function::internal(lua, move |lua, (ok, mut results): (bool, LuaMultiValue)| {
                let Some((on_end, frames)) = scheduler.take_ending(&lua.current_thread()) else { return Ok(()) };
                if ok {
                    on_end(Ok(results));
                    return Ok(());
                }
                let error = error_of(lua, results.pop_front().unwrap_or(LuaNil), frames);
                // Checked last, because converting the value to text may have taken too long.
                let error = match scheduler.termination() {
                    Some(termination) => terminated(error, &termination),
                    None => error,
                };
                on_end(Err(scheduler.complete(error)));
                Ok(())
            })?
        };
        let body = function::load(lua, include_str!("threads.luau"), (trace, finish))?;
        Ok(Self { body, scheduler: scheduler.clone() })
    }

    /// Creates a thread that calls `function`, and queues it for this cycle. The host can cancel it by `number`.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn start(
        &self,
        lua: &Lua,
        function: LuaFunction,
        mut args: LuaMultiValue,
        number: Option<u32>,
        on_end: OnEnd,
    ) -> LuaResult<()> {
        let thread = self.prepare(lua, number, on_end)?;
        args.push_front(LuaValue::Function(function));
        self.scheduler.resume(thread, args);
        Ok(())
    }

    /// Creates a thread that must be resumed with a function and its arguments, and calls the function.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn prepare(&self, lua: &Lua, number: Option<u32>, on_end: OnEnd) -> LuaResult<LuaThread> {
        let thread = lua.create_thread(self.body.clone())?;
        // A host function called by a script may create the thread, which is not a part of that script.
        ffi::set_thread_group(&thread, 0);
        self.scheduler.await_end(&thread, number, on_end);
        Ok(thread)
    }

    /// Returns the error for a VM that has been disposed.
    #[must_use]
    pub fn disposed() -> ScriptError {
        ScriptError::new(Kind::Disposed, "the VM is disposed; create a new one")
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}
