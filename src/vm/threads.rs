//! Threads whose end somebody wants to know of.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::prelude::*;

use crate::bind;
use crate::error::{Frame, Kind, NOT_ENOUGH_MEMORY, ScriptError};
use crate::modules::OnEnd;
use crate::raw::{self, Doom};
use crate::scheduler::Scheduler;

/// Makes threads whose end is told, whoever resumes them last and however they end.
#[derive(Debug)]
pub(super) struct Threads {
    /// See `threads.luau`.
    body: LuaFunction,
    scheduler: Scheduler,
}

/// A thread that has not ended.
struct Watched {
    /// Taken when it ends, since it ends once.
    on_end: RefCell<Option<OnEnd>>,
    /// Where the error was thrown, noted while the stack still stood.
    frames: RefCell<Vec<Frame>>,
}

impl Watched {
    fn end(&self, outcome: Result<LuaMultiValue, ScriptError>) {
        let on_end = self.on_end.take();
        if let Some(on_end) = on_end {
            on_end(outcome);
        }
    }
}

/// What Luau makes of an error when our part in its handling fails, as it does for want of memory alone.
const ERROR_IN_HANDLING: &str = "error in error handling";

fn error_of(lua: &Lua, value: LuaValue, frames: Vec<Frame>) -> ScriptError {
    let error = ScriptError::thrown(lua, value, frames);
    if error.message == ERROR_IN_HANDLING {
        return ScriptError { kind: Kind::Memory, message: NOT_ENOUGH_MEMORY.to_owned(), ..error };
    }
    error
}

/// An error of a thread that was to end: it may be another one, if the text of that could not be made any more.
fn doomed(error: ScriptError, doom: &Doom) -> ScriptError {
    let message = doom.message();
    let message = if error.message.ends_with(&message) { error.message.clone() } else { message };
    ScriptError { kind: doom.kind(), message, ..error }
}

impl Threads {
    pub(super) fn new(lua: &Lua, scheduler: &Scheduler) -> LuaResult<Self> {
        Ok(Self { body: bind::load(lua, include_str!("threads.luau"), ())?, scheduler: scheduler.clone() })
    }

    /// Makes a thread that calls `function`, and has it run in this cycle.
    pub(super) fn start(
        &self,
        lua: &Lua,
        function: LuaFunction,
        args: LuaMultiValue,
        on_end: OnEnd,
    ) -> LuaResult<LuaThread> {
        let watched = Rc::new(Watched { on_end: RefCell::new(Some(on_end)), frames: RefCell::default() });
        let of_trace = watched.clone();
        let trace = bind::internal(lua, move |lua, value: LuaValue| {
            of_trace.frames.replace(raw::frames(&lua.current_thread()));
            Ok(value)
        })?;
        let (scheduler, ending) = (self.scheduler.clone(), watched.clone());
        let end = bind::internal(lua, move |lua, (ok, mut results): (bool, LuaMultiValue)| {
            scheduler.unwatch(&lua.current_thread());
            let outcome = if ok {
                Ok(results)
            } else {
                let value = results.pop_front().unwrap_or(LuaNil);
                let error = error_of(lua, value, ending.frames.take());
                // Asked last: making a text of the value may have taken too long.
                Err(scheduler.complete(match scheduler.doom() {
                    Some(doom) => doomed(error, &doom),
                    None => error,
                }))
            };
            ending.end(outcome);
            Ok(())
        })?;
        let main: LuaFunction = self.body.call((function, trace, end))?;
        let thread = lua.create_thread(main)?;
        // It may be made by a function of the page that a script has called, and is no part of that script.
        raw::set_family(&thread, 0);
        self.scheduler.watch(&thread, move |error| watched.end(Err(error)));
        self.scheduler.resume(thread.clone(), args);
        Ok(thread)
    }

    /// The error for a VM that is no more.
    pub(super) fn disposed() -> ScriptError {
        ScriptError::plain(Kind::Disposed, "the VM is disposed: make a new one")
    }
}
