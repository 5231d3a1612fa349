//! Parks threads and wakes them.

use mlua::prelude::*;

use super::thread_record::Cleanup;
use super::timers::Alarm;
use super::{Job, ResumeToken, Scheduler};
use crate::call_error::CallError;
use crate::ffi::{self, ThreadId};

impl Scheduler {
    /// Parks the running thread until its token is used.
    ///
    /// `cleanup` is called if the thread stops waiting in another way: because a script resumed it, it was cancelled, or the VM was
    /// disposed. The Luau code around a yielding function yields right afterwards.
    pub fn park(&self, lua: &Lua, cleanup: impl FnOnce() + 'static) -> ResumeToken {
        self.park_with(lua, Cleanup::Call(Box::new(cleanup)))
    }

    /// Returns true if a thread waits for the token to be used.
    #[must_use]
    pub fn is_parked(&self, token: &ResumeToken) -> bool {
        self.0.threads.borrow().is_parked(token)
    }

    /// Parks the running thread for at least this many milliseconds. It is woken with the number of seconds that passed.
    pub fn sleep(&self, lua: &Lua, milliseconds: f64) {
        let since = self.now();
        let key = self.0.timers.borrow_mut().key(since + milliseconds);
        let token = self.park_with(lua, Cleanup::Timer(key));
        self.0.timers.borrow_mut().insert(key, Alarm::Wake { token, since });
    }

    fn park_with(&self, lua: &Lua, cleanup: Cleanup) -> ResumeToken {
        let thread = lua.current_thread();
        let mut threads = self.0.threads.borrow_mut();
        if threads.has_errors()
            && let Some(running) = self.running_id()
        {
            let id = ffi::id_of(&thread);
            if running != id {
                threads.share_errors(running, id);
            }
        }
        let (token, unused) = threads.park(thread, cleanup);
        drop(threads);
        if let Some(cleanup) = unused {
            self.run_cleanup(cleanup);
        }
        token
    }

    /// Wakes a parked thread. Its call returns these values.
    pub fn wake(&self, token: ResumeToken, values: LuaMultiValue) {
        self.queue_wake(token, None, values);
    }

    /// Wakes a parked thread. Its call raises this error.
    pub fn fail(&self, token: ResumeToken, error: CallError) {
        self.queue_wake(token, Some(error), LuaMultiValue::new());
    }

    fn queue_wake(&self, token: ResumeToken, error: Option<CallError>, values: LuaMultiValue) {
        let cleanup = self.0.threads.borrow_mut().note_woken(&token);
        if cleanup.is_some() {
            // The wait was successful, so there is nothing to clean up.
            drop(cleanup);
            self.0.jobs.push(Job::Wake { token, error, values });
        }
    }

    /// Ends the wait of `thread`, which a script resumed by hand. Its tokens become stale.
    pub fn release(&self, thread: &LuaThread) {
        let id = ffi::id_of(thread);
        self.unpark(id);
        // The thread now runs as part of another one, or has ended.
        if self.running_id() != Some(id) {
            self.0.threads.borrow_mut().forget_errors_unless_parked(id);
        }
    }

    pub(super) fn unpark(&self, id: ThreadId) {
        let parking = self.0.threads.borrow_mut().unpark(id);
        if let Some(parking) = parking {
            self.run_cleanup(parking.cleanup);
        }
    }

    pub(super) fn run_cleanup(&self, cleanup: Cleanup) {
        match cleanup {
            Cleanup::Timer(key) => self.remove_timer(key),
            Cleanup::Call(call) => call(),
            Cleanup::Nothing => {}
        }
    }
}
