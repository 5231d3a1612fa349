//! A bound for what C and C++ code allocates.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Without a budget.
const UNBOUNDED: usize = usize::MAX;

/// So many allocations pass from one question whether the code may go on to the next.
const PASSES: usize = 64;

/// How many bytes are left of the budget.
static LEFT: AtomicUsize = AtomicUsize::new(UNBOUNDED);
/// How many allocations pass until the next question.
static PASS: AtomicUsize = AtomicUsize::new(PASSES);

thread_local! {
    static MAY_GO_ON: RefCell<Option<Box<dyn Fn() -> bool>>> = const { RefCell::new(None) };
}

/// As long as it is there, `malloc` and its kin, and with them C++'s `new`, have a bound: what asks for more gets null, or the exception
/// `std::bad_alloc`.
///
/// Only on `wasm32-unknown-unknown`: elsewhere the allocator of C is not this crate's, and a budget bounds nothing.
#[derive(Debug)]
#[must_use = "a budget that is dropped bounds nothing any more"]
pub struct Budget(());

impl Budget {
    /// A budget of so many bytes, in the place of any other. From the first `false` of `may_go_on` on, which is asked now and then, nothing is left of
    /// it.
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

/// Takes so many bytes from the budget, if there is one. Returns whether they may be allocated.
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

/// Gives bytes back that were freed.
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
