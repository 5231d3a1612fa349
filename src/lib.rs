//! Luau in the browser, with real `WebSocket`s.
//!
//! This crate puts [Luau](https://luau.org), by way of [mlua](https://docs.rs/mlua), into a WebAssembly module, gives it
//! a scheduler with Roblox's `task`, and maps `websocket.connect` onto the browser's `WebSocket`. Threads that wait for
//! a timer or a socket yield, and callbacks from JS resume them.
//!
//! How the parts stand; each depends on those below it only:
//!
//! - [`vm`]: the class that JS sees.
//! - [`websocket`], [`task`], [`signal`], [`console`]: the libraries that scripts see.
//! - [`pump`]: runs the scheduler whenever JS has something for it, and lets the page breathe.
//! - [`scheduler`]: which thread runs next. It knows neither JS nor a clock.
//! - [`bind`]: how Rust functions become Luau functions.
//! - [`convert`], [`error`]: values and errors on their way to JS.
//! - [`host`]: all that comes from JS. `raw`: all that is unsafe.

pub mod bind;
pub mod console;
pub mod convert;
pub mod error;
pub mod host;
pub mod pump;
mod raw;
pub mod scheduler;
pub mod signal;
pub mod task;
pub mod vm;
pub mod websocket;
