//! `malloc` and related functions, on Rust's global allocator.
//!
//! wasi-libc's own allocator and newer releases of Rust's would both claim the memory between `__heap_base` and
//! `__heap_end`. Because every symbol of `dlmalloc.c` that libc refers to is defined here, that file is not linked.
//!
//! When a block is freed, Rust's allocator needs its size and alignment, which C does not keep. So a header in front of
//! each block stores them.

use std::alloc::{self, Layout};
use std::ptr;

use crate::budget;

/// The data right before the address that C holds.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    /// The distance from the start of the block to C's address, and the alignment of the block.
    offset: usize,
    /// The size of the whole block, in bytes.
    total: usize,
}

/// `alignof(max_align_t)` on wasm32, the alignment of every block from `malloc`.
const MAX_ALIGN: usize = 16;

impl Header {
    fn layout(self) -> Layout {
        // SAFETY: The pair was a valid layout when the block was allocated, and nothing has written to it since.
        unsafe { Layout::from_size_align_unchecked(self.total, self.offset) }
    }
}

fn layout(size: usize, align: usize) -> Option<Layout> {
    let offset = align.max(MAX_ALIGN);
    Layout::from_size_align(size.checked_add(offset)?, offset).ok()
}

/// Returns the layout of a new block, unless the budget forbids it.
fn allowed_layout(size: usize, align: usize) -> Option<Layout> {
    layout(size, align).filter(|layout| budget::take(layout.size()))
}

/// Writes the header of a fresh block and returns C's address, or null for null.
///
/// # Safety
/// `block` must be null or have been allocated with `layout`.
unsafe fn finish(block: *mut u8, layout: Layout) -> *mut u8 {
    if block.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: The block is longer than its alignment, which is at least 16, so the header of 8 bytes fits before the
    // address, and the address is aligned for it.
    unsafe {
        let address = block.add(layout.align());
        header_of(address).write(Header { offset: layout.align(), total: layout.size() });
        address
    }
}

#[expect(clippy::cast_ptr_alignment, reason = "C's addresses are aligned to at least 16 bytes, and the header to 4")]
fn header_of(address: *mut u8) -> *mut Header {
    address.cast::<Header>().wrapping_sub(1)
}

/// # Safety
/// `address` must come from one of the functions below and must not have been freed.
unsafe fn header(address: *mut u8) -> Header {
    // SAFETY: `finish` wrote it there.
    unsafe { header_of(address).read() }
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    aligned_alloc(MAX_ALIGN, size)
}

#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
    match allowed_layout(size, align) {
        // SAFETY: A layout from `layout` is never empty.
        Some(layout) => unsafe { finish(alloc::alloc(layout), layout) },
        None => ptr::null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut u8 {
    match count.checked_mul(size).and_then(|size| allowed_layout(size, MAX_ALIGN)) {
        // SAFETY: As in `aligned_alloc`.
        Some(layout) => unsafe { finish(alloc::alloc_zeroed(layout), layout) },
        None => ptr::null_mut(),
    }
}

/// # Safety
/// As in C: `address` must be null or a live block.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(address: *mut u8, size: usize) -> *mut u8 {
    if address.is_null() {
        return malloc(size);
    }
    // SAFETY: A live block has its header. The new layout keeps the alignment, as the allocator requires.
    unsafe {
        let old = header(address);
        match layout(size, old.offset).filter(|new| budget::take(new.size().saturating_sub(old.total))) {
            Some(new) => finish(alloc::realloc(address.sub(old.offset), old.layout(), new.size()), new),
            None => ptr::null_mut(),
        }
    }
}

/// # Safety
/// As in C: `address` must be null or a live block.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(address: *mut u8) {
    if !address.is_null() {
        // SAFETY: A live block has its header.
        unsafe {
            let old = header(address);
            budget::give_back(old.total);
            alloc::dealloc(address.sub(old.offset), old.layout());
        }
    }
}

/// `ENOMEM` and `EINVAL` of wasi-libc.
const OUT_OF_MEMORY: i32 = 48;
const INVALID: i32 = 28;

/// # Safety
/// As in POSIX: `out` must be writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut u8, align: usize, size: usize) -> i32 {
    if !align.is_power_of_two() || align < size_of::<usize>() {
        return INVALID;
    }
    let address = aligned_alloc(align, size);
    if address.is_null() {
        return OUT_OF_MEMORY;
    }
    // SAFETY: The caller's promise.
    unsafe { out.write(address) };
    0
}

/// # Safety
/// As with `malloc_usable_size`: `address` must be null or a live block.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(address: *mut u8) -> usize {
    if address.is_null() {
        return 0;
    }
    // SAFETY: A live block has its header.
    let header = unsafe { header(address) };
    header.total - header.offset
}

// The names by which libc calls its own allocator, even if a program replaces `malloc`.

#[unsafe(no_mangle)]
extern "C" fn __libc_malloc(size: usize) -> *mut u8 {
    malloc(size)
}

#[unsafe(no_mangle)]
extern "C" fn __libc_calloc(count: usize, size: usize) -> *mut u8 {
    calloc(count, size)
}

/// # Safety
/// As with `free`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __libc_free(address: *mut u8) {
    // SAFETY: The caller's promise.
    unsafe { free(address) }
}
