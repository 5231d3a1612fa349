//! Ends threads in other ways than by returning.

use mlua::prelude::*;

use super::thread_record::{Ending, OnEnd};
use super::{Job, Preempted, Scheduler};
use crate::call_error::CallError;
use crate::error::{Frame, Kind, ScriptError};
use crate::ffi::{self, Termination, ThreadId};

impl Scheduler {
    /// Forgets a closed thread: its parking, the timers that would resume it, and its errors. Notifies the code that awaits its end.
    pub fn forget(&self, thread: &LuaThread) {
        self.forget_with(thread, "the thread was cancelled");
    }

    fn forget_with(&self, thread: &LuaThread, message: &str) {
        let id = ffi::id_of(thread);
        self.unpark(id);
        let delays = self.0.threads.borrow_mut().take_delays(id);
        for key in delays {
            self.remove_timer(key);
        }
        self.end_awaited(id, || ScriptError::new(Kind::Cancelled, message));
        self.0.threads.borrow_mut().forget_errors(id);
    }

    /// Passes an error to the code that awaits the end of a thread. Returns the error if nothing awaits it.
    fn end_awaited(&self, id: ThreadId, error: impl FnOnce() -> ScriptError) -> Option<ScriptError> {
        let ending = self.0.threads.borrow_mut().take_ending(id);
        let Some(ending) = ending else { return Some(error()) };
        let error = self.0.threads.borrow().complete(id, error());
        (ending.on_end)(Err(error));
        None
    }

    /// Ends a thread from outside. A waiting thread ends at once; the running one ends at its next loop iteration or call, at any depth.
    pub fn cancel(&self, lua: &Lua, thread: &LuaThread, message: &str) {
        if self.running_id() == Some(ffi::id_of(thread)) {
            self.end_running(lua, Kind::Cancelled, message);
        } else {
            let is_it = |preempted: &mut Preempted| preempted.interrupted.thread() == thread;
            let preempted = self.0.preempted.borrow_mut().take_if(is_it);
            if let Some(Preempted { interrupted, .. }) = preempted {
                interrupted.end(lua);
            }
            // A thread that a script resumed by hand, and that is still running further up the stack, continues until it yields.
            if thread.is_resumable() {
                ffi::close(lua, thread);
            }
        }
        self.forget_with(thread, message);
    }

    /// Cancels the thread with this number, if it has not ended. If the error leaves the thread, `reason` supplies its source.
    pub fn cancel_numbered(&self, lua: &Lua, number: u32, reason: &CallError) {
        let thread = self.0.threads.borrow().numbered(number);
        if let Some(thread) = thread {
            self.0.threads.borrow_mut().add_error(ffi::id_of(&thread), reason);
            self.cancel(lua, &thread, reason.message());
        }
    }

    /// Ends the running thread at its next loop iteration or call.
    pub fn end_running(&self, lua: &Lua, kind: Kind, message: &str) {
        let guard = self.0.running.borrow().as_ref().map(|(_, guard)| guard.clone());
        // If there is no memory for this, the thread continues until it yields.
        if let Some(guard) = guard
            && ffi::set_interrupts(lua, true).is_ok()
        {
            guard.terminate(Termination::new(kind, message));
        }
    }

    /// Returns the reason why the running thread must end, if it must.
    pub(crate) fn termination(&self) -> Option<Termination> {
        self.0.running.borrow().as_ref().and_then(|(_, guard)| guard.termination())
    }

    /// Calls `on_end` with the error if `thread` is cancelled or fails before [`take_ending`](Self::take_ending) is called. The host can
    /// cancel the thread by `number`.
    pub fn await_end(&self, thread: &LuaThread, number: Option<u32>, on_end: OnEnd) {
        self.0.threads.borrow_mut().await_end(thread, number, on_end);
    }

    /// Notes the frames of a thread's error while its stack still exists.
    pub(crate) fn note_frames(&self, thread: &LuaThread, frames: Vec<Frame>) {
        self.0.threads.borrow_mut().note_frames(ffi::id_of(thread), frames);
    }

    /// Ends [`await_end`](Self::await_end). Returns the function and the noted frames.
    pub fn take_ending(&self, thread: &LuaThread) -> Option<(OnEnd, Vec<Frame>)> {
        let ending = self.0.threads.borrow_mut().take_ending(ffi::id_of(thread));
        ending.map(|ending| (ending.on_end, ending.frames))
    }

    /// Returns the value that the running thread receives for an error. Notes the error's source, in case the error leaves the thread.
    pub fn raised(&self, lua: &Lua, error: CallError) -> LuaValue {
        let (value, error) = error.into_thrown(lua);
        if let Some(running) = self.running_id() {
            self.0.threads.borrow_mut().add_error(running, &error);
        }
        value
    }

    /// Adds what is known to an error that left the running thread.
    #[must_use]
    pub fn complete(&self, error: ScriptError) -> ScriptError {
        match self.running_id() {
            Some(running) => self.0.threads.borrow().complete(running, error),
            None => error,
        }
    }

    /// Reports an error that nothing else receives.
    pub fn report(&self, error: ScriptError) {
        let error = self.complete(error);
        match self.termination().map(|termination| termination.kind()) {
            None => (self.0.on_error)(error),
            // The thread ended along with the one that had resumed it.
            Some(Kind::Timeout) => (self.0.on_error)(ScriptError { kind: Kind::Timeout, ..error }),
            // The code that stops a VM expects its threads to end.
            Some(_) => {}
        }
    }

    /// Ends everything. Afterwards no thread runs, cleanups have run, and the code that awaits the ends of threads has received `error`.
    /// Threads are closed, so that a script that holds one cannot resume it.
    pub fn clear(&self, lua: &Lua, error: &ScriptError) {
        // Taken out first, since values in them may call back here. Nothing is copied: there may be many, and little memory.
        let threads = self.0.threads.take();
        let jobs = self.0.jobs.take();
        let (timers, preempted) = (self.0.timers.take(), self.0.preempted.take());
        self.0.pool.clear();

        if let Some(Preempted { interrupted, .. }) = preempted {
            interrupted.end(lua);
        }
        let close = |thread: &LuaThread| {
            if thread.is_resumable() {
                ffi::close(lua, thread);
            }
        };
        let mut waiting = Vec::with_capacity(threads.parked_count());
        let mut endings = Vec::new();
        for (parking, ending) in threads.into_parts() {
            if let Some(parking) = parking {
                self.run_cleanup(parking.cleanup);
                waiting.push(parking.thread);
            }
            endings.extend(ending);
        }
        for ending in endings {
            let Ending { thread, on_end, .. } = *ending;
            on_end(Err(error.clone()));
            waiting.push(thread);
        }
        waiting.iter().for_each(close);
        for job in jobs {
            if let Job::Resume { thread, .. } = job {
                close(&thread);
            }
        }
        timers.into_delayed().for_each(|thread| close(&thread));
    }

    /// Makes sure that nothing is left of a terminated thread, even if it finished or yielded at that moment.
    pub(super) fn end_terminated(
        &self,
        lua: &Lua,
        thread: &LuaThread,
        termination: &Termination,
        error: Option<ScriptError>,
    ) {
        if !self.0.limits.get().are_set() {
            // Interrupts were on only for this, and turning them off needs no memory.
            let _ = ffi::set_interrupts(lua, false);
        }
        let id = ffi::id_of(thread);
        self.unpark(id);
        if thread.is_resumable() {
            ffi::close(lua, thread);
        } else if error.is_none() {
            // The thread has reported its end itself.
            return;
        }
        let frames = error.map(|error| error.frames).unwrap_or_default();
        let place = frames.first().map(|frame| format!("{}:{}: ", frame.chunk_name, frame.line)).unwrap_or_default();
        let message = format!("{place}{termination}");
        let error = ScriptError { frames, ..ScriptError::new(termination.kind(), message) };
        let unhandled = self.end_awaited(id, || error);
        // The code that stops a VM expects its threads to end, but a timeout is reported.
        if let Some(error) = unhandled.filter(|error| error.kind == Kind::Timeout) {
            self.report(error);
        }
    }

    /// Ends the thread of a job instead of running it, because there is not enough memory.
    pub(super) fn refuse(&self, lua: &Lua, job: Job) {
        let thread = match job {
            Job::Wake { token, .. } => {
                let parking = self.0.threads.borrow_mut().take_parked(&token);
                parking.map(|parking| parking.thread)
            }
            Job::Resume { thread, .. } => Some(thread),
            Job::Call { .. } => return self.report(ScriptError::new(Kind::Memory, ffi::refuse_memory())),
            // These jobs belong to the libraries, and free memory when they run.
            job @ (Job::Dispatch(_) | Job::EventQueue(_)) => return self.run(lua, job),
        };
        if let Some(thread) = thread.filter(ffi::is_resumable) {
            self.end_without_memory(lua, &thread);
        }
    }

    /// Ends a waiting thread, because there is not enough memory to resume it.
    pub(super) fn end_without_memory(&self, lua: &Lua, thread: &LuaThread) {
        ffi::close(lua, thread);
        self.fail_thread(thread, ScriptError::new(Kind::Memory, ffi::refuse_memory()));
    }

    /// Passes an error to the code that awaits the end of a failed thread, or reports it if nothing does.
    pub(crate) fn fail_thread(&self, thread: &LuaThread, error: ScriptError) {
        let id = ffi::id_of(thread);
        if let Some(error) = self.end_awaited(id, || error) {
            let error = self.0.threads.borrow().complete(id, error);
            self.report(error);
        }
    }
}
