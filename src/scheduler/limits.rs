//! How long threads may run.

/// How long a thread may run, in milliseconds; infinite where there is no such limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Until the page gets its turn. The same thread goes on afterwards.
    pub slice: f64,
    /// Without yielding, over all its slices. Past it the thread fails.
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
