//! The script that runs, as opposed to Rust code that it called.

use std::cell::Cell;
use std::ptr;

use mlua::prelude::*;

/// A running script with a memory limit.
pub(super) struct RunningScript<'a> {
    pub(super) lua: &'a Lua,
    /// In bytes.
    pub(super) limit: usize,
}

thread_local! {
    /// The running script, of any VM; null while Rust code runs, or if the script has no limit.
    pub(super) static RUNNING: Cell<*const RunningScript<'static>> = const { Cell::new(ptr::null()) };
}

/// Returns true if Luau code of a script runs, rather than Rust code that it called.
pub(super) fn is_script_running() -> bool {
    !RUNNING.get().is_null()
}
