//! The jobs and timers in the queues of the model, and the consumers of its signals.

use super::super::plan::Body;
use super::{Id, Values};

/// A queued job. `parking` is the number of a thread's wait: a thread that has stopped waiting ignores the job.
pub(super) enum Job {
    Wake {
        thread: Id,
        parking: u64,
        failure: Option<String>,
        values: Values,
    },
    Resume(Id, Values),
    /// Fires a signal with a value.
    Fire(usize, usize),
    /// Calls a handler of a signal.
    Handle {
        signal: usize,
        consumer: usize,
        value: usize,
    },
}

impl Job {
    /// Returns the thread that the job resumes, unless the job wakes it.
    pub(super) fn resumed_thread(&self) -> Option<Id> {
        if let Self::Resume(thread, _) = self { Some(*thread) } else { None }
    }
}

/// The action of a timer, as in the scheduler.
pub(super) enum Alarm {
    /// Wakes a thread in `task.wait`.
    Wake { thread: Id, parking: u64, since: f64 },
    /// Resumes a thread of `task.delay`.
    Resume(Id, Values),
    /// Calls back into a library.
    Notify(usize),
}

impl Alarm {
    /// Returns the thread of a `task.delay`.
    pub(super) fn delayed_thread(&self) -> Option<Id> {
        if let Self::Resume(thread, _) = self { Some(*thread) } else { None }
    }
}

/// A handler or a waiting thread of a signal.
#[derive(Clone, Copy)]
pub(super) enum Consumer<'a> {
    Handler { body: &'a Body, once: bool, is_connected: bool },
    Waiter { thread: Id, parking: u64 },
}
