//! Patches for Luau that keep a script from computing for long without a look at the clock.
//!
//! Luau asks its host at loops and calls if a script may continue. In between, some operations take as long as a script
//! likes. So `build.rs` compiles patched versions of a few sources, and the linker prefers them to mlua's:
//!
//! - Luau's hashes have no key, so anyone can make any number of strings with the same hash: sixty thousand, in two
//!   megabytes of source, kept the compiler busy for 38 seconds. The tables of the parser and the bytecode builder use
//!   SipHash-1-3 with a random key instead. The table of all strings switches to it once there are more than a hundred
//!   strings in one bucket. In the tables of scripts hashes stay the same, so the order of an iteration does not depend
//!   on randomness.
//! - A script can choose numbers or vectors with the same hash as keys of a table. Each lookup then walks along a
//!   chain. The nodes on the way are counted, and reported at points where an error may be raised. Tables with 4,096
//!   nodes or more are resized without walking along chains; their iteration order may therefore differ from Luau's.
//!   If the script has no time left meanwhile, the resize is undone.
//! - The table of all strings has at most 2^21 buckets, because a resize is a single step. Strings that were in it before
//!   it switched to the hash with a key stay where they are until the next resize.
//! - Instructions and loops that read as many bytes as a script likes report the number of bytes to the host; see
//!   [`Clock`]. These are comparisons and concatenations of strings, conversions of strings to numbers, resized
//!   tables, argument lists, `string.rep` and the pattern matcher.
//! - Strings of more than a megabyte do not convert to numbers.
//! - `luau_syntax_errors` reports all errors of a source with their places.

use std::ffi::c_void;
use std::sync::OnceLock;
use std::{ptr, slice};

use siphasher::sip::SipHasher13;

// Makes mlua follow this crate in link order.
use mlua as _;

/// The functions that are called when a script has read many bytes outside of loops and calls.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Receives a `lua_State` and the number of bytes that were read. It may raise a Luau error, unless the state is null.
    pub spend: unsafe extern "C-unwind" fn(*mut c_void, usize),
    /// Receives the number of bytes that were read. Returns true if the script has no time left. Then `spend` must raise an error.
    pub is_out_of_time: fn(usize) -> bool,
}

static CLOCK: OnceLock<Clock> = OnceLock::new();

/// Sets the functions. Later calls have no effect.
pub fn set_clock(clock: Clock) {
    CLOCK.get_or_init(|| clock);
}

#[unsafe(no_mangle)]
extern "C" fn luau_is_out_of_time(bytes: usize) -> bool {
    CLOCK.get().is_some_and(|clock| (clock.is_out_of_time)(bytes))
}

/// # Safety
/// `state` must be null or the running thread, in which an error may be raised.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn luau_spend(state: *mut c_void, bytes: usize) {
    if let Some(clock) = CLOCK.get() {
        // SAFETY: The caller's promise.
        unsafe { (clock.spend)(state, bytes) }
    }
}

static KEY: OnceLock<[u8; 16]> = OnceLock::new();

/// Returns the hash of a block of memory, with a key that no script knows.
///
/// # Safety
/// `data` must have `length` bytes; it may be null if there are none.
#[unsafe(no_mangle)]
unsafe extern "C" fn luau_keyed_hash(data: *const u8, length: usize) -> u32 {
    let data = if length == 0 { ptr::dangling() } else { data };
    // SAFETY: The caller's promise.
    let data = unsafe { slice::from_raw_parts(data, length) };
    let hash = SipHasher13::new_with_key(KEY.get_or_init(make_key)).hash(data);
    #[expect(clippy::cast_possible_truncation, reason = "tables of Luau use 32 bits")]
    let hash = hash as u32;
    hash
}

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
fn make_key() -> [u8; 16] {
    use std::ffi::{c_int, c_void};

    // Defines `getentropy`.
    use cxx_runtime as _;

    unsafe extern "C" {
        fn getentropy(out: *mut c_void, length: usize) -> c_int;
    }
    let mut key = [0; 16];
    // SAFETY: The key has that length. A host without randomness leaves zeros, which is no worse than Luau's own hash.
    unsafe { getentropy(key.as_mut_ptr().cast(), key.len()) };
    key
}

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
fn make_key() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};

    let part = || RandomState::new().hash_one(0);
    (u128::from(part()) << 64 | u128::from(part())).to_ne_bytes()
}
