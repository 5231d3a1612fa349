//! The C and C++ runtime that `mlua` needs on `wasm32-unknown-unknown`.
//!
//! This target has no C library, no C++ library and no system. A crate that links C++ code compiled for it, as `mlua`
//! does with Luau, adds this one and calls [`init`] before the first use. What it brings:
//!
//! - C++ exceptions, by WebAssembly exception handling, from LLVM's libc++abi, libc++ and libunwind (`build.rs`);
//! - wasi-libc, as Rust ships it for `wasm32-wasip1`;
//! - `memory`: `malloc` and its kin on Rust's global allocator, so that one heap serves both languages; a
//!   [`Budget`] limits it;
//! - `compare`: a faster `memcmp`;
//! - `system`: the system calls that wasi-libc makes, answered by the page, the worker or Node;
//! - [`imports`] (on the host, feature `imports`): the check that a finished module needs nothing else.
//!
//! On every other target `init` does nothing, and a `Budget` limits nothing.

mod budget;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod compare;
#[cfg(feature = "imports")]
pub mod imports;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod memory;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod system;

pub use budget::Budget;

/// Runs the static constructors of the C and C++ code in this module, the first time it is called.
///
/// Call it before the first call into such code. A `#[wasm_bindgen(start)]` function is not enough of a place, since
/// test harnesses skip it. That this function calls `__wasm_call_ctors` also keeps the linker from wrapping every
/// export in a call of its own.
pub fn init() {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        static CONSTRUCTED: std::sync::Once = std::sync::Once::new();
        // SAFETY: the linker synthesizes this function for every module; `Once` sees to the one call it allows.
        CONSTRUCTED.call_once(|| unsafe { __wasm_call_ctors() });
    }
}
