//! The C and C++ runtime that `mlua` needs on `wasm32-unknown-unknown`.
//!
//! This target has no C library, no C++ library and no operating system. A crate that links C++ code compiled for it,
//! as `mlua` does with Luau, adds this one and calls [`init`] before the first use. It provides:
//!
//! - C++ exceptions through WebAssembly exception handling, from LLVM's libc++abi, libc++ and libunwind (`build.rs`);
//! - wasi-libc, as Rust ships it for `wasm32-wasip1`;
//! - `memory`: `malloc` and related functions on Rust's global allocator, so that both languages share a heap; a
//!   [`Budget`] limits it;
//! - `compare`: a faster `memcmp`;
//! - `system` (feature `web`, on by default): the system calls of wasi-libc, implemented with the APIs of the page, the
//!   worker or Node; without the feature the program defines them itself;
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
#[cfg(all(target_arch = "wasm32", target_os = "unknown", feature = "web"))]
mod system;

pub use budget::Budget;

/// Runs the static constructors of the module's C and C++ code, on the first call only.
///
/// Call it before any such code. A `#[wasm_bindgen(start)]` function is not enough, because test harnesses skip it. The
/// call of `__wasm_call_ctors` in here also keeps the linker from wrapping every export in a call of its own.
pub fn init() {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        static CONSTRUCTED: std::sync::Once = std::sync::Once::new();
        // SAFETY: The linker synthesizes this function for every module. It may only be called once, which `Once`
        // ensures.
        CONSTRUCTED.call_once(|| unsafe { __wasm_call_ctors() });
    }
}
