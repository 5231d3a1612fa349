//! What is due later, by time and then by the order of the calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use mlua::prelude::*;

use super::{Scheduler, Token};
use crate::raw::{self, ThreadId};

/// What happens when a time has come.
pub(super) enum Alarm {
    /// `task.wait`: the thread, and when it began to wait.
    Wake { token: Token, since: f64 },
    /// `task.delay`.
    Resume { thread: LuaThread, values: LuaMultiValue },
    /// A time-out of one of our libraries.
    Notify(Box<dyn FnOnce()>),
}

/// The place of a timer: its time, then the order of the calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimerKey {
    at: f64,
    order: u64,
}

impl TimerKey {
    pub(super) fn new(at: f64, order: u64) -> Self {
        Self { at, order }
    }
}

impl Eq for TimerKey {}

impl PartialOrd for TimerKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimerKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.total_cmp(&other.at).then(self.order.cmp(&other.order))
    }
}

/// All timers of a scheduler.
#[derive(Default)]
pub(super) struct Timers {
    alarms: BTreeMap<TimerKey, Alarm>,
    /// The `task.delay` timers of each thread that has some, so that cancelling the thread finds them.
    delays: HashMap<ThreadId, BTreeSet<TimerKey>>,
    /// How many of the alarms are of our libraries, not of scripts.
    ours: usize,
}

impl Timers {
    pub(super) fn insert(&mut self, key: TimerKey, alarm: Alarm) {
        match &alarm {
            Alarm::Wake { .. } => {}
            Alarm::Resume { thread, .. } => {
                self.delays.entry(raw::id_of(thread)).or_default().insert(key);
            }
            Alarm::Notify(_) => self.ours += 1,
        }
        self.alarms.insert(key, alarm);
    }

    /// Takes an alarm back. To be dropped once nothing is borrowed: what it holds may reach back here.
    #[must_use = "dropped in place, it could reach back into what is borrowed"]
    pub(super) fn remove(&mut self, key: TimerKey) -> Option<Alarm> {
        let alarm = self.alarms.remove(&key)?;
        self.forget(key, &alarm);
        Some(alarm)
    }

    /// The first alarm whose time has come.
    pub(super) fn pop_due(&mut self, now: f64) -> Option<Alarm> {
        let entry = self.alarms.first_entry().filter(|entry| entry.key().at <= now)?;
        let (key, alarm) = entry.remove_entry();
        self.forget(key, &alarm);
        Some(alarm)
    }

    /// Takes back the `task.delay` timers of a thread.
    #[must_use = "dropped in place, they could reach back into what is borrowed"]
    pub(super) fn remove_delays(&mut self, thread: ThreadId) -> Vec<Alarm> {
        let keys = self.delays.remove(&thread).unwrap_or_default();
        keys.iter().filter_map(|key| self.alarms.remove(key)).collect()
    }

    /// When the first alarm is due.
    pub(super) fn first(&self) -> Option<f64> {
        self.alarms.first_key_value().map(|(key, _)| key.at)
    }

    /// The threads that `task.delay` will resume.
    pub(super) fn delayed(&self) -> impl Iterator<Item = ThreadId> {
        self.delays.keys().copied()
    }

    /// Returns the delayed threads, once nothing is to be resumed any more.
    pub(super) fn into_delayed(self) -> impl Iterator<Item = LuaThread> {
        let thread_of = |alarm| if let Alarm::Resume { thread, .. } = alarm { Some(thread) } else { None };
        self.alarms.into_values().filter_map(thread_of)
    }

    /// How many timers scripts have.
    pub(super) fn count(&self) -> usize {
        self.alarms.len() - self.ours
    }

    fn forget(&mut self, key: TimerKey, alarm: &Alarm) {
        match alarm {
            Alarm::Wake { .. } => {}
            Alarm::Resume { thread, .. } => {
                let id = raw::id_of(thread);
                if let Some(keys) = self.delays.get_mut(&id) {
                    keys.remove(&key);
                    if keys.is_empty() {
                        self.delays.remove(&id);
                    }
                }
            }
            Alarm::Notify(_) => self.ours -= 1,
        }
    }
}

/// A time-out. It is called off when this is dropped.
#[must_use = "dropping it calls the time-out off"]
pub struct Timer {
    scheduler: Scheduler,
    key: TimerKey,
}

impl Timer {
    pub(super) fn new(scheduler: Scheduler, key: TimerKey) -> Self {
        Self { scheduler, key }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let alarm = self.scheduler.0.timers.borrow_mut().remove(self.key);
        // After the borrow has ended: what an alarm holds may reach back here as it is dropped.
        drop(alarm);
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timer").field(&self.key).finish()
    }
}
