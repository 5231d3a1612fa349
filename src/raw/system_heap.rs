//! In place of `heap`, where the global allocator is the program's own: there is no reserve.

use std::alloc::{self, Layout};

/// Allocates for a script.
///
/// # Safety
/// As for [`alloc::alloc`].
pub(super) unsafe fn script_alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { alloc::alloc(layout) }
}

/// Grows a block of a script.
///
/// # Safety
/// As for [`alloc::realloc`].
pub(super) unsafe fn script_realloc(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { alloc::realloc(block, layout, size) }
}

/// Returns true: Rust code has whatever the system gives.
pub(super) fn has_reserve() -> bool {
    true
}

/// Returns true: Rust code has whatever the system gives.
pub(crate) fn has_room(_bytes: usize) -> bool {
    true
}
