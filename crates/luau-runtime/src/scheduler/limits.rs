//! Time limits of threads.

/// The time limits, in milliseconds; infinite if there is no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The time until the event loop gets control. Afterwards the same thread continues.
    pub slice: f64,
    /// The maximum time without yielding, over all slices. Beyond it the thread fails.
    pub limit: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { slice: f64::INFINITY, limit: f64::INFINITY }
    }
}

impl Limits {
    pub(super) fn are_set(self) -> bool {
        self.slice.is_finite() || self.limit.is_finite()
    }
}
