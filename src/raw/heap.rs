//! The heap: it grows in large steps and holds a reserve for when the engine has no more memory.
//!
//! The standard heap asks the engine for as little as 64 KiB at a time. Each time all views of the memory are made anew, and
//! V8 may take it as a reason to collect garbage: that was two thirds of the time it took to make a hundred thousand threads.
//!
//! Rust aborts when an allocation fails, which ends the instance. So scripts are refused memory first: what they allocate, by
//! [`script_alloc`], never comes from the reserve.

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::wasm32::memory_size;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

struct Heap {
    /// The number of pages after it last grew.
    pages: AtomicUsize,
    /// A block that is freed when an allocation fails, so that it can be tried again; null while there is none.
    reserve: AtomicPtr<u8>,
}

#[global_allocator]
static HEAP: Heap = Heap { pages: AtomicUsize::new(0), reserve: AtomicPtr::new(ptr::null_mut()) };

const PAGE: usize = 64 * 1024;

/// The part of the memory by which it grows ahead: little enough that not much of it stays unused.
const PART: usize = 8;

/// The maximum by which it grows ahead, in bytes.
const MAX_AHEAD: usize = 16 * 1024 * 1024;

/// The reserve. A call from a script into Rust needs kilobytes, beside what it asks for by `has_room`. The engine does not commit
/// memory that nobody touches.
const RESERVE: Layout = match Layout::from_size_align(4 * 1024 * 1024, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("16 is a power of two"),
};

/// Allocates for a script: null if only the reserve is left.
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

/// Returns whether the reserve is there, after an attempt to get it back.
pub(super) fn has_reserve() -> bool {
    !HEAP.reserve.load(Relaxed).is_null() || HEAP.refill()
}

/// Returns whether Rust code can allocate `bytes` without the reserve.
pub(crate) fn has_room(bytes: usize) -> bool {
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
            self.take_and_give_back();
        }
    }

    #[cold]
    #[inline(never)]
    fn take_and_give_back(&self) {
        if self.pages.load(Relaxed) == 0 {
            self.refill();
        }
        let ahead = (memory_size::<0>() * (PAGE / PART)).min(MAX_AHEAD);
        if let Ok(layout) = Layout::from_size_align(ahead, 8) {
            // SAFETY: the size is not zero, since there is memory. A freed block stays with the heap: there is no way to make the
            // memory of a module smaller.
            unsafe {
                let block = System.alloc(layout);
                if !block.is_null() {
                    System.dealloc(block, layout);
                }
            }
        }
        self.pages.store(memory_size::<0>(), Relaxed);
    }

    /// Allocates the reserve. Returns whether there is memory for it.
    #[cold]
    #[inline(never)]
    fn refill(&self) -> bool {
        // SAFETY: the size is not zero.
        let block = unsafe { System.alloc(RESERVE) };
        self.reserve.store(block, Relaxed);
        !block.is_null()
    }

    /// Calls `alloc`, and once more without the reserve if it fails.
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
            // SAFETY: `refill` allocated it with this layout, and nobody else has it.
            unsafe { System.dealloc(reserve, RESERVE) };
        }
        !reserve.is_null()
    }
}

// SAFETY: it hands everything on to `System`.
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
        // SAFETY: the caller's promise. A block that could not grow is still there.
        self.with_reserve(|| unsafe { System.realloc(block, layout, size) })
    }
}
