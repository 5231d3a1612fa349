//! Luau with a scheduler: everything that does not depend on JS.
//!
//! From the top down; a module uses only those below it:
//!
//! - `testing`: a VM whose clock a test turns, with the feature of that name.
//! - [`threads`], [`globals`], [`chunk`]: the parts of a VM for untrusted scripts.
//! - [`websocket`], [`modules`], [`task`], [`json`]: the libraries that scripts see.
//! - [`signal`]: Roblox's signals.
//! - `members`: errors for members that a userdata does not have.
//! - [`function`]: turns Rust functions into Luau functions.
//! - [`scheduler`]: decides which thread runs next.
//! - `thrown`, `error_log`: errors that scripts threw, and errors that they received from us.
//! - [`call_error`]: the error of a call.
//! - `ffi`: all unsafe code.
//! - [`value`]: values, where mlua's view of them differs from Luau's.
//! - [`text`]: strings, with maximum lengths.
//! - `error_source`: where the error of a call comes from.
//! - [`error`]: errors, as data.
//!
//! The crate runs wherever Rust does. The host passes in everything that it must provide: a clock, a [`websocket::Transport`], a
//! [`modules::ModuleSource`].

pub mod call_error;
pub mod chunk;
pub mod error;
mod error_log;
mod error_source;

mod ffi;
pub mod function;
pub mod globals;
pub mod json;
mod members;
pub mod modules;

pub mod scheduler;
pub mod signal;
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod threads;
mod thrown;
pub mod value;
pub mod websocket;

pub use ffi::{read_buffer, string as create_string};

/// The memory and time limits of a VM, for host code that a script has called.
pub mod limits {
    pub use crate::ffi::{
        Charge, Termination, check_time, check_time_now, ensure_reserve, has_room, make_room, note_read, refusal,
        refuse_memory, set_memory_limit,
    };
}

/// Luau's integers (`integer` in scripts), which mlua does not know.
pub mod integer {
    pub use crate::ffi::{boxed, boxed_in, is_safe, set_unboxed, unboxed};
}

/// Changes to Luau and to its standard library.
pub mod standard {
    pub use crate::ffi::{Offset, TimeZone, ZoneName, install_collectgarbage, install_natives, set_flags};
}
