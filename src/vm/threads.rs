//! Threads whose end somebody wants to know of.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use crate::bind;
use crate::error::{Frame, Kind, NOT_ENOUGH_MEMORY, ScriptError};
use crate::modules::OnEnd;
use crate::raw::{self, Doom, ThreadId};
use crate::scheduler::Scheduler;

/// Makes threads whose end is told, whoever resumes them last and however they end.
pub(super) struct Threads {
    /// See `threads.luau`.
    body: LuaFunction,
    /// Those that have not ended.
    watched: Rc<Everyone>,
    scheduler: Scheduler,
}

type Everyone = RefCell<HashMap<ThreadId, Rc<Watched>>>;

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
    if error.message == ERROR_IN_HANDLING && raw::was_refused_memory() {
        return ScriptError { kind: Kind::Memory, message: NOT_ENOUGH_MEMORY.to_owned(), ..error };
    }
    error
}

/// An error of a thread that was to end: it may be another one, if the text of that could not be made any more.
fn doomed(error: ScriptError, doom: &Doom) -> ScriptError {
    let message = doom.to_string();
    let message = if error.message.ends_with(&message) { error.message.clone() } else { message };
    ScriptError { kind: doom.kind(), message, ..error }
}

impl Threads {
    pub(super) fn new(lua: &Lua, scheduler: &Scheduler) -> LuaResult<Self> {
        let watched: Rc<Everyone> = Rc::default();
        let of_trace = watched.clone();
        let trace = bind::internal(lua, move |lua, value: LuaValue| {
            let thread = lua.current_thread();
            if let Some(watched) = of_trace.borrow().get(&raw::id_of(&thread)) {
                watched.frames.replace(raw::frames(&thread));
            }
            Ok(value)
        })?;
        let (of_finish, ending) = (scheduler.clone(), watched.clone());
        let finish = bind::internal(lua, move |lua, (ok, mut results): (bool, LuaMultiValue)| {
            let (scheduler, thread) = (&of_finish, lua.current_thread());
            scheduler.unwatch(&thread);
            let watched = ending.borrow_mut().remove(&raw::id_of(&thread));
            let Some(watched) = watched else { return Ok(()) };
            let outcome = if ok {
                Ok(results)
            } else {
                let value = results.pop_front().unwrap_or(LuaNil);
                let error = error_of(lua, value, watched.frames.take());
                // Asked last: making a text of the value may have taken too long.
                Err(scheduler.complete(match scheduler.doom() {
                    Some(doom) => doomed(error, &doom),
                    None => error,
                }))
            };
            watched.end(outcome);
            Ok(())
        })?;
        let body = bind::load(lua, include_str!("threads.luau"), (trace, finish))?;
        Ok(Self { body, watched, scheduler: scheduler.clone() })
    }

    /// Makes a thread that calls `function`, and has it run in this cycle.
    pub(super) fn start(
        &self,
        lua: &Lua,
        function: LuaFunction,
        mut args: LuaMultiValue,
        on_end: OnEnd,
    ) -> LuaResult<LuaThread> {
        let thread = self.prepare(lua, on_end)?;
        args.push_front(LuaValue::Function(function));
        self.scheduler.resume(thread.clone(), args);
        Ok(thread)
    }

    /// Makes a thread that is to be resumed with a function and its arguments, and calls it.
    pub(super) fn prepare(&self, lua: &Lua, on_end: OnEnd) -> LuaResult<LuaThread> {
        let thread = lua.create_thread(self.body.clone())?;
        // It may be made by a function of the page that a script has called, and is no part of that script.
        raw::set_family(&thread, 0);
        let id = raw::id_of(&thread);
        let watched = Rc::new(Watched { on_end: RefCell::new(Some(on_end)), frames: RefCell::default() });
        self.watched.borrow_mut().insert(id, watched);
        let everyone = self.watched.clone();
        self.scheduler.watch(&thread, move |error| {
            let watched = everyone.borrow_mut().remove(&id);
            if let Some(watched) = watched {
                watched.end(Err(error));
            }
        });
        Ok(thread)
    }

    /// The error for a VM that is no more.
    pub(super) fn disposed() -> ScriptError {
        ScriptError::plain(Kind::Disposed, "the VM is disposed: make a new one")
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("watched", &self.watched.borrow().len()).finish_non_exhaustive()
    }
}
