//! What runs when its turn has come.

use std::rc::Rc;

use mlua::prelude::*;

use super::{Ended, Job, Parked, Preempted, SPARE_THREADS, Scheduler, Token};
use crate::error::ScriptError;
use crate::failure::Failure;
use crate::raw::{self, Guard, Resumed};

impl Scheduler {
    pub(super) fn run(&self, lua: &Lua, job: Job) {
        match job {
            Job::Wake { token, failure, values } => self.run_wake(lua, &token, failure, values),
            Job::Resume { thread, values } => {
                // One that was cancelled or has ended meanwhile has nothing left to do.
                if raw::is_resumable(&thread) {
                    self.run_thread(lua, &thread, values);
                }
            }
            Job::Call { callee, values } => {
                if let Some(function) = callee.function() {
                    self.run_call(lua, function, values);
                }
            }
            Job::Dispatch(dispatch) => dispatch(lua),
            Job::Deliver(events) => events.deliver(lua),
        }
    }

    pub(super) fn run_wake(&self, lua: &Lua, token: &Token, failure: Option<Failure>, mut values: LuaMultiValue) {
        let Some(Parked { thread, .. }) = self.take_parked(token) else { return };
        // One that parked, and got an error for want of memory before it yielded, may wait for something else by now.
        if !raw::is_resumable(&thread) || !raw::waits_for_us(&thread) {
            return;
        }
        // Whoever waits for the thread learns of its end only if it is resumed or ended, so nothing here may return without either.
        let Ok(mark) = self.mark(lua) else { return self.end_without_memory(lua, &thread) };
        let thrown = failure.map_or(LuaNil, |failure| {
            let (value, failure) = failure.into_thrown(lua);
            self.note_origin(raw::id_of(&thread), &failure);
            if failure.has_place() {
                values.push_front(LuaValue::Boolean(true));
            }
            value
        });
        values.push_front(thrown);
        values.push_front(LuaValue::Table(mark));
        self.run_thread(lua, &thread, values);
    }

    pub(super) fn run_call(&self, lua: &Lua, function: LuaFunction, values: LuaMultiValue) {
        let spare = self.0.spare.borrow_mut().pop();
        let (thread, function) = match spare {
            Some(thread) => (thread, Some(function)),
            None => match lua.create_thread(function) {
                Ok(thread) => (thread, None),
                Err(error) => return self.report(ScriptError::from_lua(&error, "")),
            },
        };
        self.0.running_unseen.set(true);
        let has_finished = match function {
            Some(function) => {
                self.run_slice(lua, &thread, 0.0, |guard| raw::begin(lua, guard, &thread, function, values))
            }
            None => self.run_thread(lua, &thread, values),
        };
        let unseen = self.0.running_unseen.replace(false);
        if unseen && has_finished && self.0.spare.borrow().len() < SPARE_THREADS {
            self.0.spare.borrow_mut().push(thread);
        }
    }

    /// Returns whether it has come to its end, by returning.
    pub(super) fn run_thread(&self, lua: &Lua, thread: &LuaThread, values: LuaMultiValue) -> bool {
        self.run_slice(lua, thread, 0.0, |guard| raw::resume(lua, guard, thread, values))
    }

    /// Goes on with the thread that was preempted. Returns whether there was one.
    pub(super) fn go_on(&self, lua: &Lua) -> bool {
        let preempted = self.0.preempted.take();
        let Some(Preempted { interrupted, used }) = preempted else { return false };
        let thread = interrupted.thread().clone();
        self.run_slice(lua, &thread, used, |guard| raw::go_on(lua, guard, interrupted));
        true
    }

    /// Calls a function within the limits of a thread, for the conversion of values that a thread is about to get: a script may have made
    /// them, so that they take long.
    pub fn within_limits<R>(&self, convert: impl FnOnce() -> R) -> R {
        let limits = self.0.limits.get();
        if !limits.are_set() || raw::is_guarded() {
            return convert();
        }
        let now = self.now();
        let guard = self.new_guard();
        guard.begin(Some(now), limits.slice, now + limits.limit, None);
        let result = raw::guarded(guard.clone(), convert);
        self.0.guard.replace(Some(guard));
        result
    }

    /// Returns a guard, the last one if nothing has it any more.
    fn new_guard(&self) -> Rc<Guard> {
        let spare = self.0.guard.take().filter(|guard| Rc::strong_count(guard) == 1);
        spare.unwrap_or_else(|| Guard::new(self.0.clock.clone()))
    }

    /// Returns whether the thread has come to its end, by returning.
    pub(super) fn run_slice(
        &self,
        lua: &Lua,
        thread: &LuaThread,
        used: f64,
        resume: impl FnOnce(&Guard) -> LuaResult<Resumed>,
    ) -> bool {
        self.0.resumptions.set(self.0.resumptions.get() + 1);
        let limits = self.0.limits.get();
        // What the turn did before may have taken long, and does not count against the limit of this thread; of its slice the page
        // has had nothing.
        let began = if limits.limit.is_finite() { Some(self.now()) } else { self.0.time.get() };
        let guard = self.new_guard();
        let ends = began.map_or(f64::INFINITY, |began| began + limits.limit - used);
        guard.begin(began, limits.slice, ends, self.0.memory_limit.get());
        if used <= 0.0 {
            guard.note_start();
        }
        // None but this thread runs, since turns are not nested.
        self.0.running.replace(Some((raw::id_of(thread), guard.clone())));
        // The text of what was thrown may be made by the script, and has to keep to its limits too.
        let ended = raw::guarded(guard.clone(), || match resume(&guard) {
            Ok(Resumed::Yielded) => Ended::Yielded,
            Ok(Resumed::Interrupted(interrupted)) => Ended::Interrupted(interrupted),
            Ok(Resumed::Finished) => Ended::Finished,
            Ok(Resumed::Failed { value, frames }) => Ended::Failed(ScriptError::thrown(lua, value, frames)),
            Err(error) => Ended::Failed(ScriptError::from_lua(&error, "")),
        });
        self.0.running.replace(None);
        if self.0.time.get().is_none() {
            self.0.time.set(guard.began());
        }
        if let Ended::Interrupted(interrupted) = ended {
            let used = used + guard.began().map_or(0.0, |began| self.now() - began);
            self.0.preempted.replace(Some(Preempted { interrupted, used }));
            return false;
        }
        let has_finished = matches!(ended, Ended::Finished);
        let error = if let Ended::Failed(error) = ended { Some(error) } else { None };
        let doom = guard.doom();
        self.0.guard.replace(Some(guard));
        match doom {
            Some(doom) => self.end_doomed(lua, thread, &doom, error),
            None => {
                if let Some(error) = error {
                    self.fail_thread(thread, error);
                }
            }
        }
        let id = raw::id_of(thread);
        if !self.0.origins.is_empty() && !self.0.parked.borrow().contains_key(&id) {
            self.0.origins.forget(id);
        }
        has_finished
    }
}
