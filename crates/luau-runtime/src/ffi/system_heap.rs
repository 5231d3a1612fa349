//! Replaces `heap` in programs that bring their own global allocator. There is no reserve.

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

/// Returns true, because the system's memory has no limit here.
pub(super) fn has_reserve() -> bool {
    true
}

/// Returns true, because the system's memory has no limit here.
#[must_use]
pub fn has_room(_bytes: usize) -> bool {
    true
}
