//! The number of interrupts until the guard reads the clock.
//!
//! Reading the clock costs as much as some tens of interrupts, and an interrupt may stand for anything from a few nanoseconds to a long
//! call into C. So the number of interrupts between two readings adapts, and whatever may take long requests a reading.

use std::cell::Cell;

thread_local! {
    /// The number of interrupts to skip until the next clock reading.
    pub(super) static SKIPS: Cell<u32> = const { Cell::new(0) };
    /// The number of interrupts to skip while a slice is over and the thread cannot be interrupted.
    pub(super) static OVERDUE_SKIPS: Cell<u32> = const { Cell::new(0) };
    /// The size of the largest chunk so far, in bytes.
    static LARGEST_CHUNK: Cell<usize> = const { Cell::new(0) };
    /// The size of the largest block of memory so far, in bytes; zero if there was no large one.
    static LARGEST_BLOCK: Cell<usize> = const { Cell::new(0) };
}

/// The minimum number of interrupts between two clock readings.
pub(super) const MIN_STRIDE: u32 = 100;
/// The maximum number of interrupts between two clock readings.
pub(super) const MAX_STRIDE: u32 = 4_000;
/// The number of bytes that instructions may read between two clock readings. A single instruction, such as a comparison of strings, or a
/// step of an iteration over a table whose entries were removed, may read the largest block that exists, at about 0.1 ns per byte.
const MAX_UNCHECKED_READ_BYTES: usize = 2_500_000_000;
/// The number of bytes of bytecode that may run between two clock readings, at about a nanosecond per byte. The body of a loop may be a
/// whole program.
const MAX_UNCHECKED_CODE_BYTES: usize = 50_000_000;
/// The intended time between two clock readings, in milliseconds.
const CLOCK_INTERVAL_MS: f64 = 0.5;
/// The size of a block that takes about as long to fill as a clock reading, in bytes.
const LARGE_BLOCK_BYTES: usize = 32 * 1024;
/// The number of bytes that take as long to read as the clock.
pub(super) const LONG_READ_BYTES: usize = 2_048;

/// Returns the maximum number of interrupts from one clock reading to the next.
pub(super) fn max_stride() -> u32 {
    let by_blocks = MAX_UNCHECKED_READ_BYTES.checked_div(LARGEST_BLOCK.get()).unwrap_or(usize::MAX);
    let by_code = MAX_UNCHECKED_CODE_BYTES.checked_div(LARGEST_CHUNK.get()).unwrap_or(usize::MAX);
    u32::try_from(by_blocks.min(by_code)).unwrap_or(MAX_STRIDE).clamp(1, MAX_STRIDE)
}

/// Returns the next stride, which brings clock readings closer to `CLOCK_INTERVAL_MS` apart.
pub(super) fn adjusted(stride: u32, since_last: f64) -> u32 {
    if since_last < CLOCK_INTERVAL_MS { stride.saturating_mul(2) } else { stride / 2 }
}

/// Begins the schedule of a thread that is resumed. Most threads yield or finish before the first clock reading.
pub(super) fn begin() {
    SKIPS.set(MIN_STRIDE.min(max_stride()));
    OVERDUE_SKIPS.set(0);
}

/// Has the guard read the clock at the next interrupt, because something runs that may take long.
pub(super) fn check_clock_soon() {
    SKIPS.set(0);
    OVERDUE_SKIPS.set(0);
}

/// Has the guard read the clock at the next interrupt if this many bytes take long to read.
pub fn note_read(bytes: usize) {
    if bytes >= LONG_READ_BYTES {
        check_clock_soon();
    }
}

/// Notes the size of a chunk that scripts can run from now on, in bytes.
pub(super) fn note_chunk(bytes: usize) {
    LARGEST_CHUNK.set(LARGEST_CHUNK.get().max(bytes));
    SKIPS.set(SKIPS.get().min(max_stride()));
    OVERDUE_SKIPS.set(OVERDUE_SKIPS.get().min(max_stride()));
}

/// Notes the size of a block of memory that Luau allocates, in bytes.
pub(super) fn note_block(bytes: usize) {
    if bytes >= LARGE_BLOCK_BYTES {
        LARGEST_BLOCK.set(LARGEST_BLOCK.get().max(bytes));
        check_clock_soon();
    }
}
