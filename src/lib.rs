//! Luau in the browser, with real `WebSocket`s.
//!
//! This crate puts [Luau](https://luau.org), by way of [mlua](https://docs.rs/mlua), into a WebAssembly module, gives it
//! a scheduler with Roblox's `task`, and maps `websocket.connect` onto the browser's `WebSocket`. Threads that wait for
//! a timer or a socket yield, and callbacks from JS resume them.
//!
//! How the parts stand; each depends on those below it only, but for the last two, which know each other:
//!
//! - [`vm`]: the class that JS sees, and the machine behind it.
//! - [`libraries`]: the libraries without the class, in an `mlua::Lua` of one's own.
//! - [`pump`]: runs the scheduler whenever JS has something for it, and lets the page breathe.
//! - [`websocket`], [`task`], [`signal`], [`console`], [`json`], [`modules`]: the libraries that scripts see.
//! - [`convert`]: values, functions and errors on their way to JS and back.
//! - [`host`]: all that comes from JS.
//! - [`chunk`]: from source to a function.
//! - [`globals`]: the tables of globals, which keep runs and modules apart.
//! - [`bind`]: how Rust functions become Luau functions. `members` has the errors for members that a userdata does not have.
//! - [`scheduler`]: which thread runs next. It knows neither JS nor a clock.
//! - `raw`: all that is unsafe.
//! - [`error`], [`failure`], [`origin`], [`value`]: what went wrong in a thread, in a call, where that comes from, and what a
//!   value is.
//!
//! Only `vm`, `convert` and `host` know JS.

pub mod bind;
pub mod chunk;
pub mod console;
pub mod convert;
pub mod error;
pub mod failure;
pub mod globals;
pub mod host;
pub mod json;
pub mod libraries;
mod members;
pub mod modules;
pub mod origin;
pub mod pump;
mod raw;
pub mod scheduler;
pub mod signal;
pub mod task;
mod text;
pub mod value;
pub mod vm;
pub mod websocket;

pub use libraries::Libraries;
pub use raw::set_memory_limit;
