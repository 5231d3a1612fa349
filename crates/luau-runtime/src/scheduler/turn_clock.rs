//! Measures the duration of a turn, with as few clock readings as possible.

use std::cell::Cell;

/// The maximum number of threads that run between two clock readings. There can be several, since a reading takes as long as many threads.
const MAX_THREADS_PER_READ: u32 = 8;

/// The intended time between two clock readings, in milliseconds.
const READ_INTERVAL_MS: f64 = 0.5;

/// The clock of one turn.
pub(super) struct TurnClock {
    /// The time when the host started waiting. Set at the first reading if it was not known before.
    began: Option<f64>,
    /// The number of resumptions before the last call of `elapsed`.
    resumptions: u64,
    /// The number of threads since the last reading.
    unread: u32,
    /// The number of threads after which the clock is read.
    stride: u32,
}

impl TurnClock {
    /// Begins a turn. `began` is the time when the host started waiting, in milliseconds; none means now.
    pub(super) fn new(began: Option<f64>, resumptions: u64) -> Self {
        Self { began, resumptions, unread: 0, stride: 1 }
    }

    /// Returns true if scripts have run since the last call. Only scripts take time worth measuring.
    pub(super) fn has_run(&mut self, resumptions: u64) -> bool {
        std::mem::replace(&mut self.resumptions, resumptions) != resumptions
    }

    /// Counts a thread, and returns the milliseconds since the turn began, or 0 while that cannot be long. `time` is the last time read,
    /// and is updated.
    pub(super) fn elapsed(&mut self, has_run_long: bool, time: &Cell<Option<f64>>, now: impl Fn() -> f64) -> f64 {
        self.unread += 1;
        if self.unread < self.stride && !has_run_long {
            return 0.0;
        }
        let now = now();
        let before = time.replace(Some(now));
        let began = *self.began.get_or_insert(before.unwrap_or(now));
        let was_short = before.is_some_and(|before| now - before < READ_INTERVAL_MS);
        self.stride = if was_short { (self.stride * 2).min(MAX_THREADS_PER_READ) } else { 1 };
        self.unread = 0;
        now - began
    }
}
