//! A heap that grows in large steps.
//!
//! The standard one asks the engine for as little as 64 KiB at a time. Each time all views of the memory are made anew, and
//! V8 may take it for a reason to collect garbage: that was two thirds of the time it took to make a hundred thousand threads.

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::wasm32::memory_size;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Heap {
    /// The pages that there were when it last grew.
    pages: AtomicUsize,
}

#[global_allocator]
static HEAP: Heap = Heap { pages: AtomicUsize::new(0) };

const PAGE: usize = 64 * 1024;

/// How much it grows ahead: an eighth of what there is, so that little is asked for that is never used.
const PART: usize = 8;

/// And at most so much, in bytes.
const MOST: usize = 16 * 1024 * 1024;

impl Heap {
    fn grow_ahead(&self) {
        if memory_size::<0>() != self.pages.load(Relaxed) {
            self.take_and_give_back();
        }
    }

    #[cold]
    #[inline(never)]
    fn take_and_give_back(&self) {
        let ahead = (memory_size::<0>() * (PAGE / PART)).min(MOST);
        if let Ok(layout) = Layout::from_size_align(ahead, 8) {
            // SAFETY: the size is not zero, since there is memory. What is given back stays with the heap: there is no way to
            // make the memory of a module smaller.
            unsafe {
                let block = System.alloc(layout);
                if !block.is_null() {
                    System.dealloc(block, layout);
                }
            }
        }
        self.pages.store(memory_size::<0>(), Relaxed);
    }
}

// SAFETY: it hands all on to `System`.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc(layout) };
        self.grow_ahead();
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc_zeroed(layout) };
        self.grow_ahead();
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.realloc(block, layout, size) };
        self.grow_ahead();
        block
    }
}
