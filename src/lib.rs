//! Luau in the browser, with real `WebSocket`s.
//!
//! This crate compiles [Luau](https://luau.org), through [mlua](https://docs.rs/mlua), into a WebAssembly module, adds a scheduler with
//! Roblox's `task`, and maps `websocket.connect` onto the browser's `WebSocket`. Threads that wait for a timer or a socket yield, and
//! callbacks from JS resume them.
//!
//! Everything that does not depend on JS is in the crate [`luau_runtime`]. This crate is the adapter between that and JS.
//! From the top down; a module uses only those below it:
//!
//! - `vm`: the class that JS sees, and its state.
//! - [`libraries`]: the libraries without the class, for your own `mlua::Lua`.
//! - `event_loop`: runs the scheduler when JS has something for it, and gives the event loop control in between.
//! - `console`: `print` and `warn`.
//! - `convert`: converts values, functions and errors to JS and back.
//! - `js`: everything that comes from JS.

mod console;
mod convert;
mod event_loop;
mod js;
pub mod libraries;
mod vm;

pub use libraries::Libraries;
pub use luau_runtime::limits::set_memory_limit;
pub use luau_runtime::{call_error, error, function, scheduler, signal, websocket};

/// The class that JS sees, for the tests in `tests/browser`.
pub mod testing {
    pub use crate::js::now;
    pub use crate::vm::{Vm, VmOptions};
}
