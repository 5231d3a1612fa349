//! Compiles Luau within memory and time limits.
//!
//! Luau's parser and compiler are C++. They throw when an allocation fails, and an exception that reaches Rust ends the instance. So they
//! run in a protected call, where Luau catches exceptions. The limits keep `loadstring` from blocking the host.

use std::ffi::{c_char, c_uint, c_void};
use std::ptr;
use std::rc::Rc;

use cxx_runtime::Budget;
use mlua::ffi;
use mlua::prelude::*;

use super::allocator::refusal;
use super::flags::limit_compiler;
use super::guard::check_time_now;
use super::memory::memory_left;

unsafe extern "C" {
    fn free(block: *mut c_void);
}

unsafe extern "C-unwind" {
    /// Defined in crates/luau-patches.
    fn luau_syntax_errors(source: *const c_char, size: usize, context: *mut c_void, report: Report);
}

type Report = unsafe extern "C-unwind" fn(*mut c_void, *const [c_uint; 4], *const c_char, usize);

/// A parser error. Lines and columns count from 0, and columns are in bytes.
#[derive(Debug)]
pub(crate) struct ParseError {
    pub(crate) message: String,
    /// The line and the column of the first character.
    pub(crate) begin: (usize, usize),
    /// The line and the column of the end, which is exclusive.
    pub(crate) end: (usize, usize),
}

/// The time limit, in milliseconds. After blocking the event loop for five seconds the thread would fail with an error that it cannot
/// catch. It can catch this one.
const MAX_COMPILE_MS: f64 = 4_000.0;

/// The smallest memory limit, in bytes. A few hundred lines need that much.
const MIN_BUDGET_BYTES: usize = 1 << 20;

const TOOK_TOO_LONG: &str = "the source takes longer than 4 s to compile";

/// The compiler's output, which `malloc` allocated.
struct Compiled {
    start: *mut c_char,
    size: usize,
}

impl Drop for Compiled {
    fn drop(&mut self) {
        // SAFETY: `start` is null, or the compiler's output, which nothing else owns.
        unsafe { free(self.start.cast()) };
    }
}

/// Returns bytecode, or a zero byte and the message of a syntax error. `clock` returns the time in milliseconds.
///
/// # Errors
/// If the compiler needs more memory or more time than the script has left, or more than four seconds.
pub(crate) fn compile(lua: &Lua, source: &[u8], level: u8, clock: &Rc<dyn Fn() -> f64>) -> LuaResult<Vec<u8>> {
    let mut compiled = Compiled { start: ptr::null_mut(), size: 0 };
    let ends = clock() + MAX_COMPILE_MS;
    let budget = budget(lua, clock, ends);
    let mut options = ffi::lua_CompileOptions::default();
    options.optimizationLevel = level.into();
    limit_compiler(level);
    let place = &raw mut compiled;
    // SAFETY: the source, the options and `compiled` outlive the call. `exec_raw` is a protected call: it turns an exception into an error.
    // The exception unwinds through a frame with nothing to drop.
    let result = unsafe {
        lua.exec_raw::<()>((), |_| {
            let (source, size) = (source.as_ptr().cast(), source.len());
            (*place).start = ffi::luau_compile_(source, size, &raw mut options, &raw mut (*place).size);
        })
    };
    drop(budget);
    check_time_now()?;
    // The compiler reports syntax errors in its output. It fails only when an allocation does.
    if result.is_err() || compiled.start.is_null() {
        return Err(if clock() >= ends { LuaError::runtime(TOOK_TOO_LONG) } else { refusal() });
    }
    // SAFETY: the compiler wrote `size` bytes at `start`.
    Ok(unsafe { std::slice::from_raw_parts(compiled.start.cast::<u8>(), compiled.size) }.to_vec())
}

/// Limits the memory and time of the parser or the compiler until the returned budget is dropped.
fn budget(lua: &Lua, clock: &Rc<dyn Fn() -> f64>, ends: f64) -> Budget {
    let clock = clock.clone();
    Budget::new(memory_left(lua).max(MIN_BUDGET_BYTES), move || clock() < ends && check_time_now().is_ok())
}

/// Returns all errors that the parser finds in a source, or none if parsing exceeds the limits of [`compile`].
pub(crate) fn syntax_errors(lua: &Lua, source: &[u8], clock: &Rc<dyn Fn() -> f64>) -> Vec<ParseError> {
    unsafe extern "C-unwind" fn report(
        context: *mut c_void,
        place: *const [c_uint; 4],
        message: *const c_char,
        length: usize,
    ) {
        // SAFETY: `context` is the list below, which outlives the call. The other pointers are valid during this call.
        let (errors, place, message) = unsafe {
            (&mut *context.cast::<Vec<ParseError>>(), *place, std::slice::from_raw_parts(message.cast(), length))
        };
        let [line, column, end_line, end_column] = place.map(|number| number as usize);
        let message = String::from_utf8_lossy(message).into_owned();
        errors.push(ParseError { message, begin: (line, column), end: (end_line, end_column) });
    }

    let mut errors: Vec<ParseError> = Vec::new();
    let budget = budget(lua, clock, clock() + MAX_COMPILE_MS);
    limit_compiler(0);
    let list = &raw mut errors;
    // SAFETY: the source and the list outlive the call. `exec_raw` is a protected call: it turns an exception into an error. The exception
    // unwinds through a frame with nothing to drop.
    let result = unsafe {
        lua.exec_raw::<()>((), |_| luau_syntax_errors(source.as_ptr().cast(), source.len(), list.cast(), report))
    };
    drop(budget);
    if result.is_err() { Vec::new() } else { errors }
}
