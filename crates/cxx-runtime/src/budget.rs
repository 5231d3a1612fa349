//! Limits how much C and C++ code may allocate.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The value of [`LEFT`] while there is no budget.
const UNBOUNDED: usize = usize::MAX;

/// The number of allocations between two calls of `may_go_on`.
const PASSES: usize = 16;

/// The bytes that may still be allocated.
static LEFT: AtomicUsize = AtomicUsize::new(UNBOUNDED);
/// The number of allocations until the next call of `may_go_on`.
static PASS: AtomicUsize = AtomicUsize::new(PASSES);

thread_local! {
    static MAY_GO_ON: RefCell<Option<Box<dyn Fn() -> bool>>> = const { RefCell::new(None) };
}

/// Limits `malloc` and its relatives, and so C++'s `new`, until it is dropped. An allocation beyond the limit returns null or throws
/// `std::bad_alloc`.
///
/// It has no effect on targets other than `wasm32-unknown-unknown`, where this crate does not provide `malloc`.
#[derive(Debug)]
#[must_use = "the limit ends when the budget is dropped"]
pub struct Budget(());

impl Budget {
    /// Sets a limit in bytes, and replaces any other budget. Every 16 allocations it calls `may_go_on`; once that returns false, all
    /// further allocations fail.
    pub fn new(bytes: usize, may_go_on: impl Fn() -> bool + 'static) -> Self {
        MAY_GO_ON.set(Some(Box::new(may_go_on)));
        PASS.store(PASSES, Relaxed);
        LEFT.store(bytes.min(UNBOUNDED - 1), Relaxed);
        Self(())
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        LEFT.store(UNBOUNDED, Relaxed);
        MAY_GO_ON.take();
    }
}

/// Subtracts an allocation from the budget, if there is one. Returns true if the allocation is allowed.
#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
pub(crate) fn take(bytes: usize) -> bool {
    let left = LEFT.load(Relaxed);
    if left == UNBOUNDED {
        return true;
    }
    let Some(rest) = left.checked_sub(bytes) else { return false };
    let pass = PASS.load(Relaxed);
    PASS.store(if pass == 0 { PASSES } else { pass - 1 }, Relaxed);
    if pass == 0 && !MAY_GO_ON.with_borrow(|may_go_on| may_go_on.as_ref().is_none_or(|may_go_on| may_go_on())) {
        LEFT.store(0, Relaxed);
        return false;
    }
    LEFT.store(rest, Relaxed);
    true
}

/// Returns freed bytes to the budget.
#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
pub(crate) fn give_back(bytes: usize) {
    let left = LEFT.load(Relaxed);
    if left != UNBOUNDED {
        LEFT.store(left.saturating_add(bytes).min(UNBOUNDED - 1), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_bounds_what_is_taken_until_it_is_dropped() {
        let budget = Budget::new(100, || true);
        assert!(take(60));
        assert!(!take(60));
        give_back(30);
        assert!(take(60));
        drop(budget);
        assert!(take(1_000));
        let budget = Budget::new(1_000_000, || false);
        assert_eq!((0..1_000).take_while(|_| take(1)).count(), PASSES);
        assert!(!take(1), "nothing is left of it");
        drop(budget);
    }
}
