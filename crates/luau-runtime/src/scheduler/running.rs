//! Resumes threads, and reuses finished ones for handlers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::prelude::*;

use super::{Outcome, Preempted, ResumeToken, Scheduler};
use crate::call_error::CallError;
use crate::error::ScriptError;
use crate::ffi::{self, Guard, Resumed};

/// The maximum number of threads that are kept. A thousand of them take about a megabyte. All others are garbage.
const MAX_THREADS: usize = 1_000;

/// Finished threads that no script holds. Reusing one is much faster than creating one.
#[derive(Default)]
pub(super) struct ThreadPool {
    threads: RefCell<Vec<LuaThread>>,
    /// True while the running thread is not known to any script.
    is_recyclable: Cell<bool>,
}

impl ThreadPool {
    pub(super) fn pop(&self) -> Option<LuaThread> {
        self.threads.borrow_mut().pop()
    }

    /// Starts watching if a script obtains a reference to the thread that is about to run.
    pub(super) fn begin(&self) {
        self.is_recyclable.set(true);
    }

    /// Notes that a script has obtained a reference to the running thread.
    pub(super) fn note_seen(&self) {
        self.is_recyclable.set(false);
    }

    /// Takes a thread back after it has run.
    pub(super) fn put_back(&self, thread: LuaThread, has_finished: bool) {
        let is_recyclable = self.is_recyclable.replace(false);
        let mut threads = self.threads.borrow_mut();
        if is_recyclable && has_finished && threads.len() < MAX_THREADS {
            threads.push(thread);
        }
    }

    pub(super) fn clear(&self) {
        self.threads.take();
    }
}

impl Scheduler {
    pub(super) fn run_wake(&self, lua: &Lua, token: &ResumeToken, error: Option<CallError>, mut values: LuaMultiValue) {
        let parking = self.0.threads.borrow_mut().take_parked(token);
        let Some(thread) = parking.map(|parking| parking.thread) else { return };
        // A thread that parked, and then failed to yield for lack of memory, may wait for something else by now.
        if !ffi::is_resumable(&thread) || !ffi::waits_for_us(&thread) {
            return;
        }
        // The code that awaits the end of the thread is notified only if the thread is resumed or ended. So every path from here must do
        // one of them.
        let Ok(sentinel) = self.resume_sentinel(lua) else { return self.end_without_memory(lua, &thread) };
        let thrown = error.map_or(LuaNil, |error| {
            let (value, error) = error.into_thrown(lua);
            self.0.threads.borrow_mut().add_error(ffi::id_of(&thread), &error);
            if error.has_place() {
                values.push_front(LuaValue::Boolean(true));
            }
            value
        });
        values.push_front(thrown);
        values.push_front(LuaValue::Table(sentinel));
        self.run_thread(lua, &thread, values);
    }

    pub(super) fn run_call(&self, lua: &Lua, function: LuaFunction, values: LuaMultiValue) {
        let (thread, function) = match self.0.pool.pop() {
            Some(thread) => (thread, Some(function)),
            None => match lua.create_thread(function) {
                Ok(thread) => (thread, None),
                Err(error) => return self.report(ScriptError::from_lua(&error, "")),
            },
        };
        self.0.pool.begin();
        let has_finished = match function {
            Some(function) => {
                self.run_slice(lua, &thread, 0.0, |guard| ffi::begin(lua, guard, &thread, function, values))
            }
            None => self.run_thread(lua, &thread, values),
        };
        self.0.pool.put_back(thread, has_finished);
    }

    /// Runs a thread. Returns true if it returned.
    pub(super) fn run_thread(&self, lua: &Lua, thread: &LuaThread, values: LuaMultiValue) -> bool {
        self.run_slice(lua, thread, 0.0, |guard| ffi::resume(lua, guard, thread, values))
    }

    /// Resumes the preempted thread. Returns true if there was one.
    pub(super) fn resume_preempted(&self, lua: &Lua) -> bool {
        let preempted = self.0.preempted.take();
        let Some(Preempted { interrupted, used }) = preempted else { return false };
        let thread = interrupted.thread().clone();
        self.run_slice(lua, &thread, used, |guard| ffi::continue_interrupted(lua, guard, interrupted));
        true
    }

    /// Calls a function within the limits of a thread. Used to convert values that a thread is about to receive, since a script may have
    /// created values that take long to convert.
    pub fn within_limits<R>(&self, convert: impl FnOnce() -> R) -> R {
        let limits = self.0.limits.get();
        if !limits.are_set() || ffi::is_guarded() {
            return convert();
        }
        let now = self.now();
        let guard = self.new_guard();
        guard.begin(Some(now), limits.slice, now + limits.limit, None);
        let result = ffi::guarded(guard.clone(), convert);
        self.0.guard.replace(Some(guard));
        result
    }

    /// Returns a guard, which is the last one if nothing else holds it.
    fn new_guard(&self) -> Rc<Guard> {
        let last = self.0.guard.take().filter(|guard| Rc::strong_count(guard) == 1);
        last.unwrap_or_else(|| Guard::new(self.0.clock.clone()))
    }

    /// Runs a thread that has already run for `used` milliseconds. Returns true if it returned.
    fn run_slice(
        &self,
        lua: &Lua,
        thread: &LuaThread,
        used: f64,
        resume: impl FnOnce(&Guard) -> LuaResult<Resumed>,
    ) -> bool {
        self.0.resumptions.set(self.0.resumptions.get() + 1);
        let limits = self.0.limits.get();
        // The earlier part of the turn may have taken long. It counts against the slice of this thread, but not against its limit.
        let began = if limits.limit.is_finite() { Some(self.now()) } else { self.0.time.get() };
        let guard = self.new_guard();
        let ends = began.map_or(f64::INFINITY, |began| began + limits.limit - used);
        guard.begin(began, limits.slice, ends, self.0.memory_limit.get());
        if used <= 0.0 {
            guard.note_start();
        }
        // Turns are not nested, so no other thread runs.
        self.0.running.replace(Some((ffi::id_of(thread), guard.clone())));
        // The script's `__tostring` may create the text of the thrown value, and must keep to the limits too.
        let outcome = ffi::guarded(guard.clone(), || match resume(&guard) {
            Ok(Resumed::Yielded) => Outcome::Yielded,
            Ok(Resumed::Interrupted(interrupted)) => Outcome::Interrupted(interrupted),
            Ok(Resumed::Finished) => Outcome::Finished,
            Ok(Resumed::Failed { value, frames }) => Outcome::Failed(ScriptError::thrown(lua, value, frames)),
            Err(error) => Outcome::Failed(ScriptError::from_lua(&error, "")),
        });
        self.0.running.replace(None);
        if self.0.time.get().is_none() {
            self.0.time.set(guard.waiting_since());
        }
        if let Outcome::Interrupted(interrupted) = outcome {
            let used = used + guard.waiting_since().map_or(0.0, |since| self.now() - since);
            self.0.preempted.replace(Some(Preempted { interrupted, used }));
            return false;
        }
        let has_finished = matches!(outcome, Outcome::Finished);
        let error = if let Outcome::Failed(error) = outcome { Some(error) } else { None };
        let termination = guard.termination();
        self.0.guard.replace(Some(guard));
        match termination {
            Some(termination) => self.end_terminated(lua, thread, &termination, error),
            None => {
                if let Some(error) = error {
                    self.fail_thread(thread, error);
                }
            }
        }
        self.0.threads.borrow_mut().forget_errors_unless_parked(ffi::id_of(thread));
        has_finished
    }
}
