//! Replacements for Luau's library functions that take long on long values, so that time limits hold while they run, and for the functions
//! of `debug`.
//!
//! Luau asks the guard at loops and calls, and the guard reads the clock once for many of these. A library function asks nothing while it
//! runs, and one that takes a quarter of a second is a single call. So after a call with a long value the guard reads the clock at once,
//! and functions that would need more than a quarter of a second for 64 MiB have a faster version here, or check the time in a loop that
//! `crates/luau-patches` changes.

mod date;
mod debug;

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::{mem, ptr, slice};

use memchr::memmem::Finder;
use mlua::ffi;
use mlua::prelude::*;

pub use self::date::{Offset, TimeZone, ZoneName};

use super::clock_schedule::{LONG_READ_BYTES, check_clock_soon};
use super::guard::{raise_if_out_of_time, raise_if_out_of_time_now, watch_reading};

/// The minimum length of a long value, in Luau's type for lengths.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it is small")]
const LONG: c_int = LONG_READ_BYTES as c_int;

/// The length below which a plain pattern is short: Luau finds it fast enough in a text that is not long.
const SHORT: c_int = 32;

/// The maximum length of a format of `string.pack` or `os.date`, and of a replacement with captures, in bytes. These are interpreted again
/// for each call or match.
const MAX_FORMAT: c_int = 65_536;

type Function = unsafe extern "C-unwind" fn(*mut ffi::lua_State) -> c_int;

/// A replaced function.
struct Native {
    library: &'static CStr,
    /// The name of the function, which appears in its errors.
    name: &'static CStr,
    replacement: Function,
    /// Luau's function, which is the same for all VMs; null until the first VM is created.
    original: AtomicPtr<c_void>,
}

/// Declares the list of functions. A replacement finds its entry in the list through the constant named after the function.
macro_rules! natives {
    ($($constant:ident = $library:literal . $name:literal => $replacement:expr;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "only the numbers are used")]
        #[repr(usize)]
        enum Place { $($constant),* }
        $(const $constant: usize = Place::$constant as usize;)*
        static NATIVES: [Native; [$($constant),*].len()] = [$(Native {
            library: $library,
            name: $name,
            replacement: $replacement,
            original: AtomicPtr::new(ptr::null_mut()),
        }),*];
    };
}

natives! {
    FIND = c"string".c"find" => find;
    GMATCH = c"string".c"gmatch" => timed_by_two::<GMATCH>;
    GSUB = c"string".c"gsub" => gsub;
    LOWER = c"string".c"lower" => timed::<LOWER>;
    MATCH = c"string".c"match" => timed_by_two::<MATCH>;
    PACK = c"string".c"pack" => packing::<PACK>;
    PACK_SIZE = c"string".c"packsize" => packing::<PACK_SIZE>;
    SPLIT = c"string".c"split" => split;
    UNPACK = c"string".c"unpack" => packing::<UNPACK>;
    UPPER = c"string".c"upper" => timed::<UPPER>;
    TO_NUMBER = c"_G".c"tonumber" => timed::<TO_NUMBER>;
    GLOBAL_UNPACK = c"_G".c"unpack" => timed::<GLOBAL_UNPACK>;
    CLEAR = c"table".c"clear" => timed::<CLEAR>;
    CONCAT = c"table".c"concat" => timed::<CONCAT>;
    TABLE_FIND = c"table".c"find" => timed::<TABLE_FIND>;
    INSERT = c"table".c"insert" => timed::<INSERT>;
    MAX_N = c"table".c"maxn" => timed::<MAX_N>;
    MOVE = c"table".c"move" => table_move;
    REMOVE = c"table".c"remove" => timed::<REMOVE>;
    SORT = c"table".c"sort" => timed::<SORT>;
    TABLE_UNPACK = c"table".c"unpack" => timed::<TABLE_UNPACK>;
    COPY = c"buffer".c"copy" => timed::<COPY>;
    FILL = c"buffer".c"fill" => timed::<FILL>;
    WRITE_STRING = c"buffer".c"writestring" => timed::<WRITE_STRING>;
    CODE_POINT = c"utf8".c"codepoint" => timed::<CODE_POINT>;
    LENGTH = c"utf8".c"len" => timed::<LENGTH>;
    OFFSET = c"utf8".c"offset" => timed::<OFFSET>;
    DATE = c"os".c"date" => date::date;
    INFO = c"debug".c"info" => debug::info;
    TRACEBACK = c"debug".c"traceback" => debug::traceback;
}

/// Replaces the functions in the libraries of a VM. `zone` defines local time.
///
/// # Errors
/// If there is not enough memory.
pub fn install_natives(lua: &Lua, zone: TimeZone) -> LuaResult<()> {
    date::set_time_zone(zone);
    watch_reading();
    // SAFETY: the stack is left as it was. Each original is a C function without upvalues, like all of Luau's library functions, so it may
    // be called in the frame of its replacement.
    unsafe {
        lua.exec_raw((), |state| {
            for native in &NATIVES {
                ffi::lua_getglobal(state, native.library.as_ptr());
                ffi::lua_getfield(state, -1, native.name.as_ptr());
                if let Some(original) = ffi::lua_tocfunction(state, -1) {
                    native.original.store(original as *mut c_void, Relaxed);
                    ffi::lua_pushcclosurek(state, native.replacement, native.name.as_ptr(), 0, None);
                    ffi::lua_setfield(state, -3, native.name.as_ptr());
                }
                ffi::lua_settop(state, 0);
            }
        })
    }
}

/// Calls the original function.
///
/// # Safety
/// `state` runs the replacement, with its arguments on the stack.
unsafe fn original<const PLACE: usize>(state: *mut ffi::lua_State) -> c_int {
    let Some(native) = NATIVES.get(PLACE) else { return 0 };
    // SAFETY: `install_natives` stored a function of this type before it created the running function.
    unsafe {
        let function: Function = mem::transmute(native.original.load(Relaxed));
        function(state)
    }
}

/// Calls a function whose time depends on the length of its first argument.
unsafe extern "C-unwind" fn timed<const PLACE: usize>(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        if ffi::lua_objlen_(state, 1) >= LONG {
            // Not after the call, because the function may raise an error.
            check_clock_soon();
        }
        original::<PLACE>(state)
    }
}

/// Calls a function whose time depends on the lengths of its first two arguments, a text and a pattern.
unsafe extern "C-unwind" fn timed_by_two<const PLACE: usize>(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        if ffi::lua_objlen_(state, 2) >= LONG {
            check_clock_soon();
        }
        timed::<PLACE>(state)
    }
}

/// Returns an argument if it is a string.
///
/// # Safety
/// `state` runs a C function, and keeps the argument on its stack for `'a`.
unsafe fn string<'a>(state: *mut ffi::lua_State, index: c_int) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise. `lua_tolstring` does not convert a string. The original converts numbers.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TSTRING {
            return None;
        }
        let mut length = 0;
        let start = ffi::lua_tolstring(state, index, &raw mut length);
        Some(slice::from_raw_parts(start.cast(), length))
    }
}

/// Returns the first argument if it is a long string.
///
/// # Safety
/// As for [`string`].
unsafe fn long_string<'a>(state: *mut ffi::lua_State) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    unsafe { if ffi::lua_objlen_(state, 1) >= LONG { string(state, 1) } else { None } }
}

/// Returns an optional argument that is a position in a string, converted to count from 0. A negative argument counts from the end. Returns
/// `None` for a position before the string.
///
/// # Safety
/// `state` runs a C function.
unsafe fn position(state: *mut ffi::lua_State, index: c_int, length: usize, default: c_int) -> Option<usize> {
    // SAFETY: the caller's promise. If the argument is not a number, an error is raised.
    let given = unsafe { ffi::luaL_optinteger_(state, index, default) };
    let distance = given.unsigned_abs() as usize;
    if given < 0 { length.checked_sub(distance) } else { distance.checked_sub(1) }
}

/// `string.find`, in linear time: for a plain pattern Luau's version takes time proportional to the product of both lengths.
unsafe extern "C-unwind" fn find(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        let (text_length, pattern_length) = (ffi::lua_objlen_(state, 1), ffi::lua_objlen_(state, 2));
        if text_length < LONG && pattern_length < SHORT {
            return original::<FIND>(state);
        }
        let (Some(text), Some(pattern)) = (string(state, 1), string(state, 2)) else { return original::<FIND>(state) };
        let is_plain = ffi::lua_toboolean(state, 4) != 0 || !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte));
        if !is_plain {
            if text_length.max(pattern_length) >= LONG {
                check_clock_soon();
            }
            return original::<FIND>(state);
        }
        let start = position(state, 3, text.len(), 1).unwrap_or(0);
        check_clock_soon();
        let Some(found) = find_in_parts(state, &Finder::new(pattern), text, start) else {
            ffi::lua_pushnil(state);
            return 1;
        };
        push_number(state, found + 1);
        push_number(state, found + pattern.len());
        2
    }
}

/// # Safety
/// `state` runs a C function, and has room for a value.
unsafe fn push_number(state: *mut ffi::lua_State, number: usize) {
    #[expect(clippy::cast_precision_loss, reason = "strings are shorter than 2^53 bytes")]
    let number = number as f64;
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_pushnumber(state, number) };
}

/// The length of the part of a text that is searched at once, in bytes.
const SEARCH_CHUNK_BYTES: usize = 1 << 22;

/// Returns the position of a pattern in a text, searching from `start`. Raises an error if the running thread must end.
///
/// # Safety
/// `state` runs a C function. The error unwinds through the caller's frame.
unsafe fn find_in_parts(state: *mut ffi::lua_State, finder: &Finder<'_>, text: &[u8], start: usize) -> Option<usize> {
    let length = finder.needle().len();
    let mut start = start;
    loop {
        let rest = text.get(start..)?;
        // At least twice the pattern, so that most of a part is not searched again with the next one.
        let part = rest.get(..SEARCH_CHUNK_BYTES.max(2 * length)).unwrap_or(rest);
        if let Some(found) = finder.find(part) {
            return Some(start + found);
        }
        if part.len() == rest.len() {
            return None;
        }
        start += part.len() + 1 - length;
        // SAFETY: the caller's promise. The finder borrows the pattern, so there is nothing to drop.
        unsafe { raise_if_out_of_time_now(state) };
    }
}

/// `string.split`, linear and interruptible.
unsafe extern "C-unwind" fn split(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. Errors unwind through frames with nothing to drop: the finder borrows the
    // separator.
    unsafe {
        let Some(text) = long_string(state) else { return original::<SPLIT>(state) };
        let separator = match ffi::lua_type(state, 2) {
            ffi::LUA_TNONE | ffi::LUA_TNIL => b",",
            ffi::LUA_TSTRING => string(state, 2).unwrap_or_default(),
            _ => return original::<SPLIT>(state),
        };
        check_clock_soon();
        ffi::lua_createtable(state, 0, 0);
        let finder = Finder::new(separator);
        let (mut start, mut count) = (0, 0);
        while let Some(rest) = text.get(start..) {
            count += 1;
            raise_if_out_of_time(state, 1);
            let piece = if separator.is_empty() {
                rest.get(..1).filter(|_| rest.len() > 1)
            } else {
                find_in_parts(state, &finder, text, start).and_then(|end| text.get(start..end))
            };
            let last = piece.is_none();
            let piece = piece.unwrap_or(rest);
            ffi::lua_pushlstring(state, piece.as_ptr().cast(), piece.len());
            ffi::lua_rawseti_(state, -2, count);
            if last {
                break;
            }
            start += piece.len() + separator.len();
        }
        1
    }
}

/// `string.pack`, `string.packsize` and `string.unpack`, whose first argument is a format.
unsafe extern "C-unwind" fn packing<const PLACE: usize>(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        require_short_format(state);
        timed_by_two::<PLACE>(state)
    }
}

/// Raises an error if the first argument is too long for a format.
///
/// # Safety
/// `state` runs a C function. The error unwinds through the caller's frame.
unsafe fn require_short_format(state: *mut ffi::lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_objlen_(state, 1) > MAX_FORMAT {
            ffi::luaL_argerror(state, 1, c"the format is too long (at most 65536 bytes)".as_ptr());
        }
    }
}

/// `string.gsub`, with a limit on replacements: the matcher asks the guard, but the code that inserts captures does not.
unsafe extern "C-unwind" fn gsub(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        if ffi::lua_objlen_(state, 3) > MAX_FORMAT && string(state, 3).is_some_and(|text| text.contains(&b'%')) {
            let message = c"the replacement is too long (at most 65536 bytes with captures)";
            ffi::luaL_argerror(state, 3, message.as_ptr());
        }
        timed_by_two::<GSUB>(state)
    }
}

/// The number of values that `table.move` moves between two checks of the guard.
const MOVE_CHUNK: i64 = 1 << 18;

/// `table.move`, in parts. Luau's version takes five seconds for 2^26 nil values, and corrupts memory for 2^31 (luau-lang/luau#2970).
unsafe extern "C-unwind" fn table_move(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack, and with room for the arguments of another call.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let [first, last, to] = [2, 3, 4].map(|index| i64::from(ffi::luaL_checkinteger_(state, index)));
        let count = last - first + 1;
        if count <= MOVE_CHUNK {
            // Elements of an empty table take as long.
            if count >= i64::from(LONG) {
                check_clock_soon();
            }
            return timed::<MOVE>(state);
        }
        if count > i64::from(i32::MAX) {
            ffi::luaL_argerror(state, 3, c"too many elements to move".as_ptr());
        }
        if to > i64::from(i32::MAX) - count + 1 {
            ffi::luaL_argerror(state, 4, c"destination wrap around".as_ptr());
        }
        let target = if ffi::lua_isnoneornil(state, 5) != 0 { 1 } else { 5 };
        ffi::luaL_checktype(state, target, ffi::LUA_TTABLE);
        let overlaps = to > first && to <= last && ffi::lua_rawequal(state, 1, target) != 0;
        let mut moved = 0;
        while moved < count {
            raise_if_out_of_time_now(state);
            let part = MOVE_CHUNK.min(count - moved);
            // From the end if values would otherwise be overwritten before they are moved.
            let from = if overlaps { count - moved - part } else { moved };
            ffi::lua_pushcfunction(state, timed::<MOVE>);
            ffi::lua_pushvalue(state, 1);
            for argument in [first + from, first + from + part - 1, to + from] {
                #[expect(clippy::cast_precision_loss, reason = "as small as the arguments")]
                ffi::lua_pushnumber(state, argument as f64);
            }
            ffi::lua_pushvalue(state, target);
            ffi::lua_call(state, 5, 0);
            moved += part;
        }
        ffi::lua_pushvalue(state, target);
        1
    }
}
