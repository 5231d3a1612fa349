//! How many JS objects the instance may hold.
//!
//! wasm-bindgen keeps them in a table of WebAssembly. Engines allow a table ten million places, and this one doubles when it is full, so it
//! ends at 2^23 of them; one object more ends the instance. Scripts can have any number held, so whatever a script can repeat takes its
//! places here first.

use std::cell::Cell;
use std::fmt;

/// The number of objects that may be held. What only the host can repeat, such as runs, is not counted and has the rest of the table.
const MAX_OBJECTS: usize = 6_000_000;

/// To count them means to go through the free places of the table, which takes milliseconds. So at least so many are taken in between.
const MIN_ALLOWANCE: usize = 100_000;

thread_local! {
    /// How many more places may be taken until they are counted again.
    static ALLOWANCE: Cell<usize> = const { Cell::new(MIN_ALLOWANCE) };
}

/// The instance holds so many JS objects that it must not hold another one.
#[derive(Clone, Copy, Debug)]
pub struct TooManyObjects;

impl fmt::Display for TooManyObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many JS objects are held or handed over at once (at most {MAX_OBJECTS})")
    }
}

impl From<TooManyObjects> for mlua::Error {
    fn from(error: TooManyObjects) -> Self {
        Self::runtime(error.to_string())
    }
}

/// Takes `places` of the table, a few at a time. They need not be given back: now and then those that are in use are counted.
///
/// # Errors
/// When too many are in use.
pub fn take(places: usize) -> Result<(), TooManyObjects> {
    if let Some(left) = ALLOWANCE.get().checked_sub(places) {
        ALLOWANCE.set(left);
        return Ok(());
    }
    let free = MAX_OBJECTS.saturating_sub(wasm_bindgen::externref_heap_live_count() as usize);
    let allowance = (free / 2).checked_sub(places).filter(|&left| left >= MIN_ALLOWANCE).ok_or(TooManyObjects)?;
    ALLOWANCE.set(allowance);
    Ok(())
}
