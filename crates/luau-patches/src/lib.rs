//! Changes to Luau that keep a script from computing for long unseen.
//!
//! Luau asks its host at loops and calls whether a script may go on. Some of what it does in between takes as long as a script likes. So
//! `build.rs` compiles a few of Luau's sources anew, with changes, and the linker takes them in place of mlua's:
//!
//! - Luau's hashes have no key, so anyone can make any number of strings with the same hash: sixty thousand, in two megabytes of source, kept
//!   the compiler busy for 38 seconds. The tables of the parser and the bytecode builder use SipHash-1-3 with a random key
//!   instead, and the table of all strings does from the moment when there are more than a hundred strings in one place. In the tables of
//!   scripts hashes are the same as before, so the order of an iteration depends on nothing random.
//! - A script can choose numbers or vectors with the same hash as keys of a table. Each lookup then walks along a chain. The nodes on the way are
//!   counted, and reported where an error may be raised. Tables of 4,096 places and more are resized without walking along chains; the order of
//!   their iteration may therefore differ from Luau's.
//! - Instructions and loops that read as many bytes as a script likes tell the host how many; see [`on_spend`]: comparisons and concatenations
//!   of strings, strings as numbers, tables that are resized, lists of arguments, `string.rep` and the pattern matcher.
//! - A string of more than a megabyte is no number.
//! - `luau_syntax_errors` reports all errors of a source with their places.

use std::ffi::c_void;
use std::sync::OnceLock;
use std::{ptr, slice};

use siphasher::sip::SipHasher13;

// Keeps mlua behind this crate in the order of linking.
use mlua as _;

/// A function that is called with a `lua_State` and the number of bytes that were read. It may raise an error of Luau's, unless the state
/// is null.
pub type Spend = unsafe extern "C-unwind" fn(*mut c_void, usize);

static SPEND: OnceLock<Spend> = OnceLock::new();

/// Sets what is called when a script has read many bytes outside of loops and calls. The first function stays.
pub fn on_spend(spend: Spend) {
    SPEND.get_or_init(|| spend);
}

/// # Safety
/// `state` is null, or the thread that runs, in which an error may be raised.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn luau_spend(state: *mut c_void, bytes: usize) {
    if let Some(spend) = SPEND.get() {
        // SAFETY: the caller's promise.
        unsafe { spend(state, bytes) }
    }
}

static KEY: OnceLock<[u8; 16]> = OnceLock::new();

/// Returns the hash of a block of memory, with a key that no script knows.
///
/// # Safety
/// `data` has `length` bytes, or is null for none.
#[unsafe(no_mangle)]
unsafe extern "C" fn luau_keyed_hash(data: *const u8, length: usize) -> u32 {
    let data = if length == 0 { ptr::dangling() } else { data };
    // SAFETY: the caller's promise.
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
    // SAFETY: the key has that length. A host without randomness leaves zeros, which is no worse than Luau's own hash.
    unsafe { getentropy(key.as_mut_ptr().cast(), key.len()) };
    key
}

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
fn make_key() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};

    let part = || RandomState::new().hash_one(0);
    (u128::from(part()) << 64 | u128::from(part())).to_ne_bytes()
}
