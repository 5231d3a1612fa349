//! Tokens of parked threads.

use crate::ffi::ThreadId;

/// A token that can wake a parked thread once.
#[derive(Debug)]
#[must_use = "a thread whose token is lost waits until a script resumes or cancels it"]
pub struct ResumeToken {
    pub(super) thread: ThreadId,
    pub(super) parking: u64,
}
