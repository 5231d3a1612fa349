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

    /// That the thread that runs is about to get a failure. Should it get out in the end, it is told where it comes from.
    pub fn note_raised(&self, failure: &Failure) {
        if let Some(running) = self.running_id() {
            self.note_origin(running, failure);
        }
    }

    /// The same for a thread that waits, and is about to be cancelled for that reason.
    pub fn note_reason(&self, thread: &LuaThread, reason: &Failure) {
        self.note_origin(raw::id_of(thread), reason);
    }

    pub(super) fn note_origin(&self, thread: ThreadId, failure: &Failure) {
        if let Some(origin) = failure.origin() {
            self.0.origins.note(thread, failure.message(), origin);
        }
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
        // Taken out first and dropped after: what they hold may reach back here.
        let parked: Vec<Parked> = self.0.parked.borrow_mut().drain().map(|(_, parked)| parked).collect();
        let watches: Vec<_> = self.0.watches.borrow_mut().drain().collect();
        let jobs = [self.0.ready.take(), self.0.deferred.take()].into_iter().flatten();
        let (timers, preempted) = (self.0.timers.take(), self.0.preempted.take());
        self.0.spare.take();
        self.0.origins.clear();

        let mut threads: Vec<LuaThread> = parked.iter().map(|parked| parked.thread.clone()).collect();
        threads.extend(jobs.filter_map(|job| if let Job::Resume { thread, .. } = job { Some(thread) } else { None }));
        threads.extend(timers.into_delayed());
        if let Some(Preempted { interrupted, .. }) = preempted {
            interrupted.end(lua);
        }
        for parked in parked {
            self.give_back(Some(parked));
        }
        for (_, watch) in watches {
            threads.push(watch.thread);
            (watch.ended)(error.clone());
        }
        for thread in threads {
            if thread.is_resumable() {
                raw::close(lua, &thread);
            }
        }
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
        let message = format!("{place}{}", doom.message());
        let error = ScriptError { frames, ..ScriptError::plain(doom.kind(), &message) };
        let unheard = self.end_watched(raw::id_of(thread), || error.clone());
        // Who stops a VM knows that its threads end; a time limit is told.
        if let Some(error) = unheard.filter(|error| error.kind == Kind::Timeout) {
            self.report(error);
        }
    }

    pub(super) fn fail_thread(&self, thread: &LuaThread, error: ScriptError) {
        let id = raw::id_of(thread);
        if let Some(error) = self.end_watched(id, || error) {
            self.report(self.0.origins.complete(id, error));
        }
    }
}
