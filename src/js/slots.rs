//! Limits the number of JS objects that the instance holds.
//!
//! wasm-bindgen keeps them in a WebAssembly table. Engines limit a table to ten million entries, and this one doubles when it is full, so
//! it ends at 2^23. One more object ends the instance. Scripts can cause any number of objects to be held, so every operation that a script
//! can repeat first takes its slots here.

use std::cell::Cell;
use std::fmt;

/// The maximum number of objects. Operations that only the host can repeat, such as runs, are not counted and use the rest of the table.
const MAX_OBJECTS: usize = 6_000_000;

/// The minimum number of slots taken between two counts. Counting iterates over the table's free slots, which takes milliseconds.
const MIN_ALLOWANCE: usize = 100_000;

thread_local! {
    /// The number of slots that may still be taken before the next count.
    static ALLOWANCE: Cell<usize> = const { Cell::new(MIN_ALLOWANCE) };
}

/// The error if the instance holds the maximum number of JS objects.
#[derive(Clone, Copy, Debug)]
pub struct TooManyObjects;

impl fmt::Display for TooManyObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many JS objects are held or passed at once (at most {MAX_OBJECTS})")
    }
}

impl From<TooManyObjects> for mlua::Error {
    fn from(error: TooManyObjects) -> Self {
        Self::runtime(error.to_string())
    }
}

/// Takes a few slots of the table. They need not be returned, because the slots in use are counted from time to time.
///
/// # Errors
/// If too many are in use.
pub(crate) fn take(slots: usize) -> Result<(), TooManyObjects> {
    if let Some(left) = ALLOWANCE.get().checked_sub(slots) {
        ALLOWANCE.set(left);
        return Ok(());
    }
    let free = MAX_OBJECTS.saturating_sub(wasm_bindgen::externref_heap_live_count() as usize);
    let allowance = (free / 2).checked_sub(slots).filter(|&left| left >= MIN_ALLOWANCE).ok_or(TooManyObjects)?;
    ALLOWANCE.set(allowance);
    Ok(())
}
