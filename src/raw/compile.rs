//! Compiles, within bounds.
//!
//! Luau's parser and compiler are C++, which allocates without asking, and throws where it cannot. So they run where Luau catches what
//! they throw, within a budget of memory and time: what a script hands to `loadstring` is not to keep the page from its turn either.

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

/// How long it may take, in milliseconds. It cannot be interrupted; after five seconds of that a thread fails with what it cannot catch.
const LONGEST: f64 = 4_000.0;

/// How many bytes it may have in any case, as many as a script of some hundred lines takes.
const LEAST: usize = 1 << 20;

const TOOK_TOO_LONG: &str = "the source takes longer than 4 s to compile";

/// What the compiler made, in the memory of C.
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

/// Bytecode; or a zero, and then the message why the source is no Luau program. `clock` tells the time in milliseconds.
///
/// # Errors
/// When the compiler needs more memory than the script has left, or more than four seconds.
pub(crate) fn compile(lua: &Lua, source: &[u8], level: u8, clock: &Rc<dyn Fn() -> f64>) -> LuaResult<Vec<u8>> {
    let mut compiled = Compiled { start: ptr::null_mut(), size: 0 };
    let ends = clock() + LONGEST;
    let of_budget = clock.clone();
    let budget = Budget::new(memory_left(lua).max(LEAST), move || of_budget() < ends && !is_out_of_time());
    let mut options = ffi::lua_CompileOptions::default();
    options.optimizationLevel = level.into();
    let place = &raw mut compiled;
    // SAFETY: the compiler reads the source and the options, and writes where it is told. An exception passes over this frame, in which
    // nothing is left to drop, and becomes an error in the protected call that this is.
    let result = unsafe {
        lua.exec_raw::<()>((), |_| {
            let (source, size) = (source.as_ptr().cast(), source.len());
            (*place).start = ffi::luau_compile_(source, size, &raw mut options, &raw mut (*place).size);
        })
    };
    drop(budget);
    // Nothing but a lack of memory makes it fail, or what looks like one: a budget that is used up.
    if result.is_err() || compiled.start.is_null() {
        return Err(if clock() >= ends {
            LuaError::runtime(TOOK_TOO_LONG)
        } else {
            LuaError::MemoryError(NOT_ENOUGH_MEMORY.to_owned())
        });
    }
    // SAFETY: the compiler made so many bytes there.
    Ok(unsafe { std::slice::from_raw_parts(compiled.start.cast::<u8>(), compiled.size) }.to_vec())
}
