//! Compiles Luau within limits of memory and time.
//!
//! Luau's parser and compiler are C++: they throw when an allocation fails, and an exception that reaches Rust ends the instance. So they
//! run inside a protected call, where Luau catches exceptions. The limits keep `loadstring` from blocking the host.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::rc::Rc;

use cxx_runtime::Budget;
use mlua::ffi;
use mlua::prelude::*;

use super::guard::is_out_of_time;
use super::memory::memory_left;
use crate::error::NOT_ENOUGH_MEMORY;

unsafe extern "C" {
    fn free(block: *mut c_void);
}

/// The time limit, in milliseconds. After five seconds without a turn for the host the thread would fail with an error that it cannot
/// catch; this one it can.
const MAX_MS: f64 = 4_000.0;

/// The smallest memory limit, in bytes. Some hundred lines need that much.
const MIN_BUDGET: usize = 1 << 20;

const TOOK_TOO_LONG: &str = "the source takes longer than 4 s to compile";

/// The compiler's output, which `malloc` allocated.
struct Compiled {
    start: *mut c_char,
    size: usize,
}

impl Drop for Compiled {
    fn drop(&mut self) {
        // SAFETY: it is null, or what the compiler made, and of nobody else.
        unsafe { free(self.start.cast()) };
    }
}

/// Returns bytecode, or a zero byte and the message of a syntax error. `clock` returns the time in milliseconds.
///
/// # Errors
/// If the compiler needs more memory than the script has left, or more than four seconds.
pub(crate) fn compile(lua: &Lua, source: &[u8], level: u8, clock: &Rc<dyn Fn() -> f64>) -> LuaResult<Vec<u8>> {
    let mut compiled = Compiled { start: ptr::null_mut(), size: 0 };
    let ends = clock() + MAX_MS;
    let budget = {
        let clock = clock.clone();
        Budget::new(memory_left(lua).max(MIN_BUDGET), move || clock() < ends && !is_out_of_time())
    };
    let mut options = ffi::lua_CompileOptions::default();
    options.optimizationLevel = level.into();
    let place = &raw mut compiled;
    // SAFETY: the source, the options and `compiled` outlive the call. `exec_raw` is a protected call: it turns an exception, which passes
    // over a frame with nothing to drop, into an error.
    let result = unsafe {
        lua.exec_raw::<()>((), |_| {
            let (source, size) = (source.as_ptr().cast(), source.len());
            (*place).start = ffi::luau_compile_(source, size, &raw mut options, &raw mut (*place).size);
        })
    };
    drop(budget);
    // The compiler reports syntax errors in its output. It fails only when an allocation does.
    if result.is_err() || compiled.start.is_null() {
        return Err(if clock() >= ends {
            LuaError::runtime(TOOK_TOO_LONG)
        } else {
            LuaError::MemoryError(NOT_ENOUGH_MEMORY.to_owned())
        });
    }
    // SAFETY: the compiler wrote `size` bytes there.
    Ok(unsafe { std::slice::from_raw_parts(compiled.start.cast::<u8>(), compiled.size) }.to_vec())
}
