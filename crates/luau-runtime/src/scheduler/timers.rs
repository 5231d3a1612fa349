//! Timers, ordered by time and then by creation.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use mlua::prelude::*;

use super::Scheduler;
use super::arguments::Arguments;
use super::resume_token::ResumeToken;

/// The action of a timer.
pub(super) enum Alarm {
    /// Wakes the thread of a `task.wait` that started at `since`.
    Wake { token: ResumeToken, since: f64 },
    /// Resumes the thread of a `task.delay`. Boxed, because most timers are those of sleeping threads, which need less.
    Resume(Box<Delayed>),
    /// Notifies one of our libraries.
    Notify(Box<dyn FnOnce()>),
}

/// A thread that a timer will resume.
pub(super) struct Delayed {
    pub(super) thread: LuaThread,
    pub(super) arguments: Arguments,
}

/// The sort key of a timer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimerKey {
    /// The time in milliseconds.
    at: f64,
    order: u64,
}

impl Eq for TimerKey {}

impl PartialOrd for TimerKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimerKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at).then(self.order.cmp(&other.order))
    }
}

/// All timers of a VM.
#[derive(Default)]
pub(super) struct Timers {
    alarms: BTreeMap<TimerKey, Alarm>,
    last_order: u64,
    /// The number of timers that belong to our libraries and not to scripts.
    internal: usize,
}

impl Timers {
    /// Returns the key of a timer for this time, in milliseconds.
    pub(super) fn key(&mut self, at: f64) -> TimerKey {
        self.last_order += 1;
        TimerKey { at, order: self.last_order }
    }

    pub(super) fn insert(&mut self, key: TimerKey, alarm: Alarm) {
        self.internal += usize::from(matches!(alarm, Alarm::Notify(_)));
        self.alarms.insert(key, alarm);
    }

    /// Removes a timer.
    #[must_use = "if dropped in place, it could call back while the timers are borrowed"]
    pub(super) fn remove(&mut self, key: TimerKey) -> Option<Alarm> {
        let alarm = self.alarms.remove(&key)?;
        self.internal -= usize::from(matches!(alarm, Alarm::Notify(_)));
        Some(alarm)
    }

    /// Removes the first timer if it is due.
    pub(super) fn pop_due(&mut self, now: f64) -> Option<(TimerKey, Alarm)> {
        let entry = self.alarms.first_entry().filter(|entry| entry.key().at <= now)?;
        let (key, alarm) = entry.remove_entry();
        self.internal -= usize::from(matches!(alarm, Alarm::Notify(_)));
        Some((key, alarm))
    }

    /// Returns the time of the first timer.
    pub(super) fn first(&self) -> Option<f64> {
        self.alarms.first_key_value().map(|(key, _)| key.at)
    }

    /// Returns the number of timers that scripts have.
    pub(super) fn count(&self) -> usize {
        self.alarms.len() - self.internal
    }

    /// Returns the threads of `task.delay` timers.
    pub(super) fn into_delayed(self) -> impl Iterator<Item = LuaThread> {
        let thread_of = |alarm| if let Alarm::Resume(delayed) = alarm { Some(delayed.thread) } else { None };
        self.alarms.into_values().filter_map(thread_of)
    }
}

/// A library's timeout. Dropping it cancels it.
#[must_use = "dropping it cancels the timeout"]
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
        self.scheduler.remove_timer(self.key);
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timer").field(&self.key).finish()
    }
}
