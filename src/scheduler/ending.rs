//! Threads that end other than by returning: cancelled, failed, or with all the others.

use mlua::prelude::*;

use super::{Job, Parked, Preempted, Scheduler, Watch};
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::raw::{self, Doom, ThreadId};

impl Scheduler {
    /// Forgets a thread that was closed: what it waits for, what it is due for, and who watches it.
    pub fn forget(&self, thread: &LuaThread) {
        self.forget_with(thread, "the thread was cancelled");
    }

    pub(super) fn forget_with(&self, thread: &LuaThread, message: &str) {
        let id = raw::id_of(thread);
        self.unpark(id);
        let delays = self.0.timers.borrow_mut().remove_delays(id);
        drop(delays);
        self.end_watched(id, || ScriptError::plain(Kind::Cancelled, message));
        self.0.origins.forget(id);
    }

    /// Tells who watches a thread that it was ended. Returns the error if nobody does.
    pub(super) fn end_watched(&self, id: ThreadId, error: impl FnOnce() -> ScriptError) -> Option<ScriptError> {
        let watch = self.0.watches.borrow_mut().remove(&id);
        match watch {
            Some(watch) => {
                (watch.ended)(self.0.origins.complete(id, error()));
                None
            }
            None => Some(error()),
        }
    }

    /// Ends a thread from outside, whatever it is doing: one that waits at once, the one that runs when it next comes to
    /// a loop or a call, at whatever depth.
    pub fn cancel(&self, lua: &Lua, thread: &LuaThread, message: &str) {
        let is_running = self.0.running.borrow().as_ref().is_some_and(|(running, _)| *running == raw::id_of(thread));
        if is_running {
            self.end_running(lua, Kind::Cancelled, message);
        } else {
            let is_it = |preempted: &mut Preempted| preempted.interrupted.thread() == thread;
            let preempted = self.0.preempted.borrow_mut().take_if(is_it);
            if let Some(Preempted { interrupted, .. }) = preempted {
                interrupted.end(lua);
            }
            // One that a script resumed by hand, and that is running deeper down, goes on until it yields.
            if thread.is_resumable() {
                raw::close(lua, thread);
            }
        }
        self.forget_with(thread, message);
    }

    /// Ends the thread that runs, when it next comes to a loop or a call.
    pub fn end_running(&self, lua: &Lua, kind: Kind, message: &str) {
        let guard = self.0.running.borrow().as_ref().map(|(_, guard)| guard.clone());
        // Without memory for this the thread goes on until it yields.
        if let Some(guard) = guard
            && raw::set_interrupts(lua, true).is_ok()
        {
            guard.set_doom(Doom::new(kind, message));
        }
    }

    /// Why the thread that runs is to end, if it is.
    #[must_use]
    pub(crate) fn doom(&self) -> Option<Doom> {
        self.0.running.borrow().as_ref().and_then(|(_, guard)| guard.doom())
    }

    /// Calls `ended` if `thread` is cancelled or fails before [`unwatch`](Self::unwatch) is called.
    pub fn watch(&self, thread: &LuaThread, ended: impl FnOnce(ScriptError) + 'static) {
        let watch = Watch { thread: thread.clone(), ended: Box::new(ended) };
        self.0.watches.borrow_mut().insert(raw::id_of(thread), watch);
    }

    /// Ends [`watch`](Self::watch).
    pub fn unwatch(&self, thread: &LuaThread) {
        let watch = self.0.watches.borrow_mut().remove(&raw::id_of(thread));
        drop(watch);
    }

    pub(super) fn running_id(&self) -> Option<ThreadId> {
        self.0.running.borrow().as_ref().map(|(thread, _)| *thread)
    }

    /// Returns the value that the running thread is to get for a failure. Should it get out in the end, it is told where it comes from.
    pub fn raised(&self, lua: &Lua, failure: Failure) -> LuaValue {
        let (value, failure) = failure.into_thrown(lua);
        if let Some(running) = self.running_id() {
            self.note_origin(running, &failure);
        }
        value
    }

    /// Notes why a waiting thread is about to be cancelled. Should the error get out in the end, it is told where it comes from.
    pub fn note_reason(&self, thread: &LuaThread, reason: &Failure) {
        self.note_origin(raw::id_of(thread), reason);
    }

    pub(super) fn note_origin(&self, thread: ThreadId, failure: &Failure) {
        self.0.origins.note(thread, failure);
    }

    /// An error that got out of the thread that runs, with what is known of it.
    #[must_use]
    pub fn complete(&self, error: ScriptError) -> ScriptError {
        match self.running_id() {
            Some(running) => self.0.origins.complete(running, error),
            None => error,
        }
    }

    /// Reports an error that nobody waits for.
    pub fn report(&self, error: ScriptError) {
        let error = self.complete(error);
        match self.doom().map(|doom| doom.kind()) {
            None => (self.0.on_error)(error),
            // A thread that went down with the one that had resumed it.
            Some(Kind::Timeout) => (self.0.on_error)(ScriptError { kind: Kind::Timeout, ..error }),
            // Who stops a VM knows that its threads end.
            Some(_) => {}
        }
    }

    /// Lets go of everything: no thread runs any more, what they waited for is given back, and those who watch them are
    /// told of `error`. Threads are closed, so that a script that kept one cannot go on with it.
    pub fn clear(&self, lua: &Lua, error: &ScriptError) {
        // Taken out first, since what they hold may reach back here. Nothing is copied: there may be many, and little memory.
        let parked = self.0.parked.take();
        let watches = self.0.watches.take();
        let jobs = [self.0.ready.take(), self.0.deferred.take()];
        let (timers, preempted) = (self.0.timers.take(), self.0.preempted.take());
        self.0.spare.take();
        self.0.origins.clear();

        if let Some(Preempted { interrupted, .. }) = preempted {
            interrupted.end(lua);
        }
        let close = |thread: &LuaThread| {
            if thread.is_resumable() {
                raw::close(lua, thread);
            }
        };
        let mut waiting = Vec::with_capacity(parked.len());
        for Parked { thread, release, .. } in parked.into_values() {
            self.give_back(release);
            waiting.push(thread);
        }
        for Watch { thread, ended } in watches.into_values() {
            ended(error.clone());
            waiting.push(thread);
        }
        waiting.iter().for_each(close);
        for job in jobs.into_iter().flatten() {
            if let Job::Resume { thread, .. } = job {
                close(&thread);
            }
        }
        timers.into_delayed().for_each(|thread| close(&thread));
    }

    /// Sees to it that nothing is left of a thread that was to end, even if it just then finished or yielded.
    pub(super) fn end_doomed(&self, lua: &Lua, thread: &LuaThread, doom: &Doom, error: Option<ScriptError>) {
        if !self.0.limits.get().are_set() {
            // They were on for this alone; turning them off needs no memory.
            let _ = raw::set_interrupts(lua, false);
        }
        self.unpark(raw::id_of(thread));
        if thread.is_resumable() {
            raw::close(lua, thread);
        } else if error.is_none() {
            // It told its end itself.
            return;
        }
        let frames = error.map(|error| error.frames).unwrap_or_default();
        let place = frames.first().map(|frame| format!("{}:{}: ", frame.chunk_name, frame.line)).unwrap_or_default();
        let message = format!("{place}{doom}");
        let error = ScriptError { frames, ..ScriptError::plain(doom.kind(), &message) };
        let unheard = self.end_watched(raw::id_of(thread), || error.clone());
        // Who stops a VM knows that its threads end; a time limit is told.
        if let Some(error) = unheard.filter(|error| error.kind == Kind::Timeout) {
            self.report(error);
        }
    }

    /// Ends the thread of a job in place of running it, because there is no memory.
    pub(super) fn refuse(&self, lua: &Lua, job: Job) {
        let thread = match job {
            Job::Wake { token, .. } => self.take_parked(&token).map(|parked| parked.thread),
            Job::Resume { thread, .. } => Some(thread),
            Job::Call { .. } => return self.report(ScriptError::plain(Kind::Memory, raw::refuse_memory())),
            // They belong to the library, and free what they hold.
            job @ (Job::Dispatch(_) | Job::Deliver(_)) => return self.run(lua, job),
        };
        if let Some(thread) = thread.filter(raw::is_resumable) {
            self.end_without_memory(lua, &thread);
        }
    }

    /// Ends a thread that waits, because there is no memory to resume it.
    pub(super) fn end_without_memory(&self, lua: &Lua, thread: &LuaThread) {
        raw::close(lua, thread);
        self.fail_thread(thread, ScriptError::plain(Kind::Memory, raw::refuse_memory()));
    }

    /// Tells who watches a thread that it failed, or else reports the error.
    pub(crate) fn fail_thread(&self, thread: &LuaThread, error: ScriptError) {
        let id = raw::id_of(thread);
        if let Some(error) = self.end_watched(id, || error) {
            self.report(self.0.origins.complete(id, error));
        }
    }
}
