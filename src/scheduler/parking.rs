//! Threads that wait, and what wakes them.

use mlua::prelude::*;

use super::timers::Alarm;
use super::{Job, Parked, Release, Scheduler, Token};
use crate::failure::Failure;
use crate::raw::{self, ThreadId};

impl Scheduler {
    /// Parks the thread that is running, until its token is used.
    ///
    /// `release` is called when the thread stops waiting in another way: resumed by a script, cancelled, or the VM
    /// disposed. The Luau code around a parking function yields right afterwards.
    pub fn park(&self, lua: &Lua, release: impl FnOnce() + 'static) -> Token {
        self.park_for(lua, Release::Hook(Box::new(release)))
    }

    /// Whether a thread waits for the token to be used.
    #[must_use]
    pub fn is_parked(&self, token: &Token) -> bool {
        self.0.parked.borrow().get(&token.thread).is_some_and(|parked| parked.parking == token.parking)
    }

    /// Parks the thread that is running for at least so many milliseconds; it is woken with the seconds that passed.
    pub fn sleep(&self, lua: &Lua, milliseconds: f64) {
        let since = self.now();
        let key = self.timer_key(since + milliseconds);
        let token = self.park_for(lua, Release::Timer(key));
        self.0.timers.borrow_mut().insert(key, Alarm::Wake { token, since });
    }

    pub(super) fn park_for(&self, lua: &Lua, release: Release) -> Token {
        let thread = lua.current_thread();
        let (id, parking) = (raw::id_of(&thread), self.next_number());
        if !self.0.origins.is_empty()
            && let Some(running) = self.running_id().filter(|&running| running != id)
        {
            self.0.origins.share(running, id);
        }
        let before = self.0.parked.borrow_mut().insert(id, Parked { thread, parking, release });
        // A thread that parked and did not yield, for want of memory, never gave its first parking back.
        if let Some(before) = before {
            self.give_back(before.release);
        }
        Token { thread: id, parking }
    }

    /// Wakes a parked thread with what its call returns.
    pub fn wake(&self, token: Token, values: LuaMultiValue) {
        self.queue_wake(token, None, values);
    }

    /// Wakes a parked thread with an error that its call raises.
    pub fn fail(&self, token: Token, failure: Failure) {
        self.queue_wake(token, Some(failure), LuaMultiValue::new());
    }

    pub(super) fn queue_wake(&self, token: Token, failure: Option<Failure>, values: LuaMultiValue) {
        if let Some(parked) = self.0.parked.borrow_mut().get_mut(&token.thread)
            && parked.parking == token.parking
        {
            // What it waited for has come, so there is nothing to give back.
            parked.release = Release::Nothing;
            self.0.ready.borrow_mut().push_back(Job::Wake { token, failure, values });
        }
    }

    /// Lets go of all that `thread` waits for; its tokens are stale from now on.
    pub fn release(&self, thread: &LuaThread) {
        let id = raw::id_of(thread);
        self.unpark(id);
        // It runs as a part of another one from now on, or has ended.
        if !self.0.origins.is_empty() && self.running_id() != Some(id) {
            self.0.origins.forget(id);
        }
    }

    /// Removes the thread that waits for `token`; none if the token is stale.
    pub(super) fn take_parked(&self, token: &Token) -> Option<Parked> {
        let mut parked = self.0.parked.borrow_mut();
        match parked.get(&token.thread) {
            Some(entry) if entry.parking == token.parking => parked.remove(&token.thread),
            _ => None,
        }
    }

    pub(super) fn unpark(&self, id: ThreadId) {
        let parked = self.0.parked.borrow_mut().remove(&id);
        if let Some(parked) = parked {
            self.give_back(parked.release);
        }
    }

    pub(super) fn give_back(&self, release: Release) {
        match release {
            Release::Timer(key) => {
                let alarm = self.0.timers.borrow_mut().remove(key);
                drop(alarm);
            }
            Release::Hook(hook) => hook(),
            Release::Nothing => {}
        }
    }
}
