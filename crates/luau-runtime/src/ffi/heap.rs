//! The heap, which grows in large steps and holds a reserve for when the engine has no more memory.
//!
//! The standard heap asks the engine for as little as 64 KiB at a time. Each time, all views of the memory must be recreated, and V8 may
//! take it as a reason to collect garbage. That was two thirds of the time it took to create a hundred thousand threads.
//!
//! Rust aborts when an allocation fails, which ends the instance. So scripts are refused memory first: [`script_alloc`], which allocates
//! for them, never takes from the reserve.

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::wasm32::memory_size;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

struct Heap {
    /// The number of pages after the heap last grew.
    pages: AtomicUsize,
    /// A block that is freed when an allocation fails, so that the allocation can be retried; null while there is none.
    reserve: AtomicPtr<u8>,
}

#[global_allocator]
static HEAP: Heap = Heap { pages: AtomicUsize::new(0), reserve: AtomicPtr::new(ptr::null_mut()) };

const PAGE_BYTES: usize = 64 * 1024;

/// The divisor that gives the part of the memory by which the heap grows ahead: a small part, so that little stays unused.
const AHEAD_DIVISOR: usize = 8;

/// The maximum by which the heap grows ahead, in bytes.
const MAX_AHEAD_BYTES: usize = 16 * 1024 * 1024;

/// The layout of the reserve. A call from a script into Rust needs kilobytes, in addition to what it requests through `has_room`. The
/// engine does not commit memory that is never touched.
const RESERVE: Layout = match Layout::from_size_align(4 * 1024 * 1024, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("16 is a power of two"),
};

/// Allocates for a script, or returns null if only the reserve is left.
///
/// # Safety
/// As for [`GlobalAlloc::alloc`].
pub(super) unsafe fn script_alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    let block = unsafe { System.alloc(layout) };
    HEAP.grow_ahead();
    block
}

/// Grows a block of a script, or returns null if only the reserve is left.
///
/// # Safety
/// As for [`GlobalAlloc::realloc`].
pub(super) unsafe fn script_realloc(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let block = unsafe { System.realloc(block, layout, size) };
    HEAP.grow_ahead();
    block
}

/// Returns true if the reserve is available, after trying to refill it.
pub(super) fn has_reserve() -> bool {
    !HEAP.reserve.load(Relaxed).is_null() || HEAP.refill()
}

/// Returns true if Rust code can allocate `bytes` without the reserve.
#[must_use]
pub fn has_room(bytes: usize) -> bool {
    if !has_reserve() {
        return false;
    }
    if bytes < RESERVE.size() / 4 {
        return true;
    }
    let Ok(layout) = Layout::from_size_align(bytes, RESERVE.align()) else { return false };
    // SAFETY: the size is not zero, and the block is freed with its layout.
    unsafe {
        let block = System.alloc(layout);
        if !block.is_null() {
            System.dealloc(block, layout);
        }
        !block.is_null()
    }
}

impl Heap {
    fn grow_ahead(&self) {
        if memory_size::<0>() != self.pages.load(Relaxed) {
            self.allocate_and_free();
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate_and_free(&self) {
        if self.pages.load(Relaxed) == 0 {
            self.refill();
        }
        let ahead = (memory_size::<0>() * (PAGE_BYTES / AHEAD_DIVISOR)).min(MAX_AHEAD_BYTES);
        if let Ok(layout) = Layout::from_size_align(ahead, 8) {
            // SAFETY: the size is not zero, since the memory has pages. A freed block stays with the heap: a module cannot shrink its
            // memory.
            unsafe {
                let block = System.alloc(layout);
                if !block.is_null() {
                    System.dealloc(block, layout);
                }
            }
        }
        self.pages.store(memory_size::<0>(), Relaxed);
    }

    /// Allocates the reserve. Returns false if there is no memory for it.
    #[cold]
    #[inline(never)]
    fn refill(&self) -> bool {
        // SAFETY: the size is not zero.
        let block = unsafe { System.alloc(RESERVE) };
        self.reserve.store(block, Relaxed);
        !block.is_null()
    }

    /// Calls `alloc`; if it fails, frees the reserve and calls `alloc` again.
    #[inline]
    fn with_reserve(&self, mut alloc: impl FnMut() -> *mut u8) -> *mut u8 {
        let block = alloc();
        self.grow_ahead();
        if block.is_null() && self.free_reserve() { alloc() } else { block }
    }

    #[cold]
    #[inline(never)]
    fn free_reserve(&self) -> bool {
        let reserve = self.reserve.swap(ptr::null_mut(), Relaxed);
        if !reserve.is_null() {
            // SAFETY: `refill` allocated it with this layout, and the swap made it ours alone.
            unsafe { System.dealloc(reserve, RESERVE) };
        }
        !reserve.is_null()
    }
}

// SAFETY: all calls are forwarded to `System`.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.with_reserve(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.with_reserve(|| unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise. A block that could not grow stays valid.
        self.with_reserve(|| unsafe { System.realloc(block, layout, size) })
    }
}
