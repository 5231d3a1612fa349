//! The `libc` crate, with the six functions that mlua calls and that it lacks on `wasm32-unknown-unknown`.
//!
//! mlua writes a heap dump through a C `FILE` (`luau/heap_dump.rs`), so it does not compile for a target whose `libc`
//! has no `stdio`. The functions themselves are wasi-libc's, linked by `crates/cxx-runtime`; nothing here calls them.
//!
//! Delete this crate and the `[patch.crates-io]` entry once mlua compiles for `wasm32-unknown-unknown` without it: if
//! its heap dump works differently or is left out on this target.

#![no_std]

pub use libc_1::*;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub use stdio::*;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[expect(missing_docs, reason = "the names and types are those of C11, section 7.21")]
mod stdio {
    use core::ffi::{c_int, c_long, c_void};

    #[repr(C)]
    #[derive(Debug)]
    pub struct FILE {
        opaque: [u8; 0],
    }

    pub const SEEK_END: c_int = 2;

    unsafe extern "C" {
        pub fn tmpfile() -> *mut FILE;
        pub fn fseek(stream: *mut FILE, offset: c_long, whence: c_int) -> c_int;
        pub fn ftell(stream: *mut FILE) -> c_long;
        pub fn rewind(stream: *mut FILE);
        pub fn fread(into: *mut c_void, size: usize, count: usize, stream: *mut FILE) -> usize;
        pub fn fclose(stream: *mut FILE) -> c_int;
    }
}
