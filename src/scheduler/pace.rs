//! How long a turn has lasted, as far as it has to know.

use super::{Next, Scheduler};
use crate::raw::Guard;

/// So many threads at most run from one look at the clock to the next. To look takes as long as what many of them do.
const MOST_THREADS: u32 = 8;

/// How far apart looks at the clock are to be, in milliseconds.
const LOOK_EVERY: f64 = 0.5;

/// What a turn knows of the time.
pub(super) struct Pace {
    began: Option<f64>,
    /// How often a thread had been resumed when it was asked last.
    resumptions: u64,
    /// How many threads have run since the clock was looked at, and how many may.
    unseen: u32,
    stride: u32,
}

impl Scheduler {
    /// Returns the pace of a new turn. `waiting_since` is when the host started waiting, in milliseconds; none means now.
    pub(super) fn pace(&self, waiting_since: Option<f64>) -> Pace {
        Pace { began: waiting_since.or(self.0.time.get()), resumptions: self.resumptions(), unseen: 0, stride: 1 }
    }

    /// How many milliseconds the turn has lasted, or 0 where that cannot be long: what runs no script takes no time to speak of, and what
    /// does is looked at. Where nothing waits nothing can be cut.
    pub(super) fn lasted(&self, pace: &mut Pace) -> f64 {
        let has_run = std::mem::replace(&mut pace.resumptions, self.resumptions()) != pace.resumptions;
        if !has_run || self.next() != Next::Now {
            return 0.0;
        }
        pace.unseen += 1;
        if pace.unseen < pace.stride && !self.has_run_long() {
            return 0.0;
        }
        let now = self.now();
        let before = self.0.time.replace(Some(now));
        let began = *pace.began.get_or_insert(before.unwrap_or(now));
        let was_short = before.is_some_and(|before| now - before < LOOK_EVERY);
        pace.stride = if was_short { (pace.stride * 2).min(MOST_THREADS) } else { 1 };
        pace.unseen = 0;
        now - began
    }

    /// Returns true if the last thread ran long enough for its guard to read the clock. The guard does not see time spent in C.
    #[must_use]
    pub fn has_run_long(&self) -> bool {
        self.0.guard.borrow().as_deref().is_none_or(Guard::has_looked)
    }
}
