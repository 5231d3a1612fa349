//! Luau's library functions that are replaced: those that take long on long values, so that time limits hold while they run, and those of
//! `debug`.
//!
//! Luau asks the guard at loops and calls, and the guard looks at the clock once for many of these. A library function asks nothing while it
//! runs, and one that takes a quarter of a second is a single call. So after a call with a long value the guard looks at the clock at
//! once, and functions that would take longer than that for 64 MiB have a faster or interruptible version here.

mod date;
mod debug;

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::{mem, ptr, slice};

use memchr::memmem::Finder;
use mlua::ffi;
use mlua::prelude::*;

pub(crate) use self::date::{Offset, TimeZone, ZoneName};

use super::guard::{LONG_READ, interrupt, look_soon, raise_if_out_of_time, raise_if_out_of_time_now, watch_reading};

/// The length of a long value, as Luau gives lengths.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it is small")]
const LONG: c_int = LONG_READ as c_int;

/// The length up to which a plain pattern is short: Luau looks for it fast enough in a text that is not long.
const SHORT: c_int = 32;

/// The maximum length of a format of `string.pack` or `os.date`, and of a replacement with captures, in bytes. They are interpreted anew
/// for each call or match.
const MAX_FORMAT: c_int = 65_536;

/// The length of a table from which on `table.sort` asks the guard, at five times the cost. A shorter one is sorted in 250 ms.
const LONG_SORT: c_int = 1 << 20;

type Function = unsafe extern "C-unwind" fn(*mut ffi::lua_State) -> c_int;

/// A function that is replaced.
struct Native {
    library: &'static CStr,
    /// It is in the errors.
    name: &'static CStr,
    replacement: Function,
    /// Luau's function, the same for all VMs; null until one is made.
    original: AtomicPtr<c_void>,
}

/// Makes the list of functions. A replacement knows its place in the list by the constant of the function's name.
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
    FORMAT = c"string".c"format" => format;
    GSUB = c"string".c"gsub" => gsub;
    LOWER = c"string".c"lower" => lower;
    MATCH = c"string".c"match" => timed_by_two::<MATCH>;
    PACK = c"string".c"pack" => packing::<PACK>;
    PACK_SIZE = c"string".c"packsize" => packing::<PACK_SIZE>;
    SPLIT = c"string".c"split" => split;
    UNPACK = c"string".c"unpack" => packing::<UNPACK>;
    UPPER = c"string".c"upper" => upper;
    TO_NUMBER = c"_G".c"tonumber" => timed::<TO_NUMBER>;
    GLOBAL_UNPACK = c"_G".c"unpack" => timed::<GLOBAL_UNPACK>;
    CLEAR = c"table".c"clear" => timed::<CLEAR>;
    CONCAT = c"table".c"concat" => concat;
    TABLE_FIND = c"table".c"find" => timed::<TABLE_FIND>;
    INSERT = c"table".c"insert" => timed::<INSERT>;
    MAX_N = c"table".c"maxn" => timed::<MAX_N>;
    MOVE = c"table".c"move" => table_move;
    REMOVE = c"table".c"remove" => timed::<REMOVE>;
    SORT = c"table".c"sort" => sort;
    TABLE_UNPACK = c"table".c"unpack" => timed::<TABLE_UNPACK>;
    COPY = c"buffer".c"copy" => timed::<COPY>;
    FILL = c"buffer".c"fill" => timed::<FILL>;
    WRITE_STRING = c"buffer".c"writestring" => timed::<WRITE_STRING>;
    CODE_POINT = c"utf8".c"codepoint" => timed::<CODE_POINT>;
    LENGTH = c"utf8".c"len" => utf8_length;
    OFFSET = c"utf8".c"offset" => timed::<OFFSET>;
    DATE = c"os".c"date" => date::date;
    INFO = c"debug".c"info" => debug::info;
    TRACEBACK = c"debug".c"traceback" => debug::traceback;
}

/// Replaces the functions in the libraries of a VM. Local time is that of `zone`.
///
/// # Errors
/// If there is no memory.
pub(crate) fn install_natives(lua: &Lua, zone: TimeZone) -> LuaResult<()> {
    date::set_time_zone(zone);
    watch_reading();
    // SAFETY: the stack is left as it was. Each original is a C function without upvalues, as all of Luau's libraries are, so that it may
    // be called in the frame of the function that replaces it.
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
/// `state` runs the function that replaces it, with its arguments on the stack.
unsafe fn original<const PLACE: usize>(state: *mut ffi::lua_State) -> c_int {
    let Some(native) = NATIVES.get(PLACE) else { return 0 };
    // SAFETY: `install_natives` stored a function of this type before it made the function that runs.
    unsafe {
        let function: Function = mem::transmute(native.original.load(Relaxed));
        function(state)
    }
}

/// A function whose time depends on the length of its first argument.
unsafe extern "C-unwind" fn timed<const PLACE: usize>(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        if ffi::lua_objlen_(state, 1) >= LONG {
            // The function may raise an error, so not after it.
            look_soon();
        }
        original::<PLACE>(state)
    }
}

/// A function whose time depends on the lengths of its first two arguments, a text and a pattern.
unsafe extern "C-unwind" fn timed_by_two<const PLACE: usize>(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        if ffi::lua_objlen_(state, 2) >= LONG {
            look_soon();
        }
        timed::<PLACE>(state)
    }
}

/// Returns an argument if it is a string.
///
/// # Safety
/// `state` runs a C function, and keeps the argument on its stack for `'a`.
unsafe fn string<'a>(state: *mut ffi::lua_State, index: c_int) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise. Of a number the original makes a string.
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

/// Returns an optional argument that is a position in a string, from 0; negative ones are from its end. One before the string is `None`.
///
/// # Safety
/// `state` runs a C function.
unsafe fn position(state: *mut ffi::lua_State, index: c_int, length: usize, default: c_int) -> Option<usize> {
    // SAFETY: the caller's promise. It raises an error for what is no number.
    let given = unsafe { ffi::luaL_optinteger_(state, index, default) };
    let distance = given.unsigned_abs() as usize;
    if given < 0 { length.checked_sub(distance) } else { distance.checked_sub(1) }
}

/// `string.find`: Luau's takes as long as both lengths multiplied if the pattern is plain text.
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
                look_soon();
            }
            return original::<FIND>(state);
        }
        let start = position(state, 3, text.len(), 1).unwrap_or(0);
        look_soon();
        let Some(before) = find_in_parts(state, &Finder::new(pattern), text, start) else {
            ffi::lua_pushnil(state);
            return 1;
        };
        push_number(state, before + 1);
        push_number(state, before + pattern.len());
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

/// The length of the part of a text that is searched at once.
const SEARCHED_AT_ONCE: usize = 1 << 22;

/// Returns where a pattern is found in a text, from `start` on. Raises an error if the running thread is to end.
///
/// # Safety
/// `state` runs a C function. The error passes over the caller's frame.
unsafe fn find_in_parts(state: *mut ffi::lua_State, finder: &Finder<'_>, text: &[u8], start: usize) -> Option<usize> {
    let length = finder.needle().len();
    let mut start = start;
    loop {
        let rest = text.get(start..)?;
        // Twice the pattern, so that most of a part is not searched again with the next one.
        let part = rest.get(..SEARCHED_AT_ONCE.max(2 * length)).unwrap_or(rest);
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
    // SAFETY: Luau calls this with the arguments on the stack. Errors pass over frames in which nothing is left to drop: the finder
    // borrows the separator.
    unsafe {
        let Some(text) = long_string(state) else { return original::<SPLIT>(state) };
        let separator = match ffi::lua_type(state, 2) {
            ffi::LUA_TNONE | ffi::LUA_TNIL => b",",
            ffi::LUA_TSTRING => string(state, 2).unwrap_or_default(),
            _ => return original::<SPLIT>(state),
        };
        look_soon();
        ffi::lua_createtable(state, 0, 0);
        let finder = Finder::new(separator);
        let (mut start, mut count) = (0, 0);
        while let Some(rest) = text.get(start..) {
            count += 1;
            raise_if_out_of_time(state);
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

unsafe extern "C-unwind" fn lower(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe { with_case::<LOWER>(state, <[u8]>::make_ascii_lowercase) }
}

unsafe extern "C-unwind" fn upper(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe { with_case::<UPPER>(state, <[u8]>::make_ascii_uppercase) }
}

/// # Safety
/// As for [`original`].
unsafe fn with_case<const PLACE: usize>(state: *mut ffi::lua_State, convert: fn(&mut [u8])) -> c_int {
    // SAFETY: the caller's promise. The buffer is as long as the text, and stays on the stack while it is used.
    unsafe {
        let Some(text) = long_string(state) else { return original::<PLACE>(state) };
        look_soon();
        let copy = ffi::lua_newbuffer(state, text.len()).cast::<u8>();
        let copy = slice::from_raw_parts_mut(copy, text.len());
        copy.copy_from_slice(text);
        convert(copy);
        ffi::lua_pushlstring(state, copy.as_ptr().cast(), copy.len());
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
/// `state` runs a C function. The error passes over the caller's frame.
unsafe fn require_short_format(state: *mut ffi::lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_objlen_(state, 1) > MAX_FORMAT {
            ffi::luaL_argerror(state, 1, c"the format is too long: it may have 65536 bytes".as_ptr());
        }
    }
}

/// `string.gsub`: the matcher asks the guard, but what puts captures into a replacement does not.
unsafe extern "C-unwind" fn gsub(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        if ffi::lua_objlen_(state, 3) > MAX_FORMAT && string(state, 3).is_some_and(|text| text.contains(&b'%')) {
            let message = c"the replacement is too long: with captures it may have 65536 bytes";
            ffi::luaL_argerror(state, 3, message.as_ptr());
        }
        timed_by_two::<GSUB>(state)
    }
}

/// The length of a string from which on `string.format` quotes it in parts.
const LONG_QUOTE: c_int = 1 << 20;

/// `string.format`: long strings are quoted by an interruptible version of `%q`.
unsafe extern "C-unwind" fn format(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. Errors pass over frames in which nothing is left to drop.
    unsafe {
        let count = ffi::lua_gettop(state);
        let is_long = (2..=count).any(|index| ffi::lua_objlen_(state, index) >= LONG_QUOTE);
        let Some(text) = string(state, 1).filter(|text| is_long && text.contains(&b'q')) else {
            return original::<FORMAT>(state);
        };
        ffi::luaL_checkstack(state, 4, c"too many arguments".as_ptr());
        if text == b"%q"
            && let Some(argument) = string(state, 2)
        {
            // Without the copies of what follows.
            push_quoted(state, argument);
            return 1;
        }
        let mut buffer = mem::zeroed();
        ffi::luaL_buffinit(state, &raw mut buffer);
        let mut argument = 1;
        let mut rest = text;
        while let Some(start) = memchr::memchr(b'%', rest) {
            raise_if_out_of_time(state);
            let (before, directive) = rest.split_at(start);
            // The options between the `%` and the letter: flags, a width and a precision.
            let options = directive.iter().skip(1).take_while(|byte| b"-+ #0123456789.".contains(byte)).count();
            let (mut directive, after) = directive.split_at((options + 2).min(directive.len()));
            argument += c_int::from(directive != b"%%");
            if directive.ends_with(b"q")
                && argument <= count
                && ffi::lua_type(state, argument) == ffi::LUA_TSTRING
                && ffi::lua_objlen_(state, argument) >= LONG_QUOTE
            {
                push_quoted(state, string(state, argument).unwrap_or_default());
                ffi::lua_replace(state, argument);
                directive = b"%s";
            }
            for part in [before, directive] {
                ffi::luaL_addlstring(&raw mut buffer, part.as_ptr().cast(), part.len());
            }
            rest = after;
        }
        ffi::luaL_addlstring(&raw mut buffer, rest.as_ptr().cast(), rest.len());
        ffi::luaL_pushresult(&raw mut buffer);
        ffi::lua_replace(state, 1);
        original::<FORMAT>(state)
    }
}

/// The number of bytes of a string that are quoted between two questions to the guard.
const QUOTED_AT_ONCE: usize = 1 << 20;

/// Pushes a string as `%q` writes it.
///
/// # Safety
/// `state` runs a C function, has room for two values, and keeps `text`. Errors pass over the caller's frame.
unsafe fn push_quoted(state: *mut ffi::lua_State, text: &[u8]) {
    // SAFETY: the caller's promise. The buffer has the size that it was made for: what is written is counted before in the same way.
    unsafe {
        let mut size = 2;
        for part in text.chunks(QUOTED_AT_ONCE) {
            raise_if_out_of_time_now(state);
            size += part.len() + part.iter().map(|byte| usize::from(escape(*byte).1)).sum::<usize>();
        }
        let mut buffer = mem::zeroed();
        // A buffer that becomes full becomes the string.
        let mut place = ffi::luaL_buffinitsize(state, &raw mut buffer, size).cast::<u8>();
        let mut write = |bytes: &[u8]| {
            ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len());
            place = place.add(bytes.len());
        };
        write(b"\"");
        for part in text.chunks(QUOTED_AT_ONCE) {
            raise_if_out_of_time_now(state);
            let mut rest = part;
            while let Some(end) = rest.iter().position(|byte| escape(*byte).1 > 0) {
                let (plain, next) = rest.split_at(end);
                write(plain);
                if let Some((byte, after)) = next.split_first() {
                    write(escape(*byte).0);
                    rest = after;
                }
            }
            write(rest);
        }
        write(b"\"");
        ffi::luaL_pushresultsize(&raw mut buffer, size);
    }
}

/// Returns what `%q` writes for a byte, and by how much that is longer; zero for a byte that stays as it is.
fn escape(byte: u8) -> (&'static [u8], u8) {
    match byte {
        b'"' => (b"\\\"", 1),
        b'\\' => (b"\\\\", 1),
        b'\n' => (b"\\\n", 1),
        b'\r' => (b"\\r", 1),
        0 => (b"\\000", 3),
        _ => (b"", 0),
    }
}

/// `table.concat`, interruptible.
unsafe extern "C-unwind" fn concat(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. Errors pass over frames in which nothing is left to drop.
    unsafe {
        let is_whole = ffi::lua_gettop(state) <= 2;
        if is_whole && ffi::lua_objlen_(state, 1) < LONG || ffi::lua_istable(state, 1) == 0 {
            return original::<CONCAT>(state);
        }
        let first = ffi::luaL_optinteger_(state, 3, 1);
        let last = ffi::luaL_optinteger_(state, 4, ffi::lua_objlen_(state, 1));
        if i64::from(last) - i64::from(first) < i64::from(LONG) {
            return original::<CONCAT>(state);
        }
        look_soon();
        let mut length = 0;
        let separator = ffi::luaL_optlstring(state, 2, c"".as_ptr(), &raw mut length);
        let mut buffer = mem::zeroed();
        ffi::luaL_buffinit(state, &raw mut buffer);
        for index in first..=last {
            raise_if_out_of_time(state);
            if index > first && length > 0 {
                ffi::luaL_addlstring(&raw mut buffer, separator, length);
            }
            ffi::lua_rawgeti_(state, 1, index);
            if ffi::lua_isstring(state, -1) == 0 {
                // Raises the error.
                ffi::lua_settop(state, 2);
                ffi::lua_pushinteger_(state, index);
                ffi::lua_pushvalue(state, 3);
                return original::<CONCAT>(state);
            }
            ffi::luaL_addvalue(&raw mut buffer);
        }
        ffi::luaL_pushresult(&raw mut buffer);
        1
    }
}

/// The number of values that `table.move` moves between two questions to the guard.
const MOVED_AT_ONCE: i64 = 1 << 18;

/// `table.move`, in parts. Luau's takes five seconds for 2^26 values that are nil, and corrupts the memory for 2^31
/// (luau-lang/luau#2970).
unsafe extern "C-unwind" fn table_move(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. It has room for the arguments of a call.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let [first, last, to] = [2, 3, 4].map(|index| i64::from(ffi::luaL_checkinteger_(state, index)));
        let count = last - first + 1;
        if count <= MOVED_AT_ONCE {
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
            let part = MOVED_AT_ONCE.min(count - moved);
            // From the end, where a value would be overwritten before it is moved.
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

/// `table.sort`: a long table is sorted with a comparison that asks the guard.
unsafe extern "C-unwind" fn sort(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        if ffi::lua_objlen_(state, 1) >= LONG_SORT
            && ffi::lua_istable(state, 1) != 0
            && ffi::lua_isnoneornil(state, 2) != 0
        {
            ffi::lua_settop(state, 1);
            ffi::lua_pushcclosurek(state, is_less, c"sort".as_ptr(), 0, None);
        }
        timed::<SORT>(state)
    }
}

/// Compares as `<` does.
unsafe extern "C-unwind" fn is_less(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: `table.sort` calls this with two values, and nothing can be interrupted there but by an error.
    unsafe {
        interrupt(state, -1);
        let is_less = ffi::lua_lessthan(state, 1, 2);
        ffi::lua_pushboolean(state, is_less);
        1
    }
}

/// `utf8.len`: what is UTF-8 is counted by a faster algorithm.
unsafe extern "C-unwind" fn utf8_length(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe {
        let Some(text) = long_string(state) else { return original::<LENGTH>(state) };
        let (start, last) = (position(state, 2, text.len(), 1), position(state, 3, text.len(), -1));
        let (Some(start), Some(last)) = (start, last) else { return timed::<LENGTH>(state) };
        let Some(part) = text.get(start..=last) else { return timed::<LENGTH>(state) };
        look_soon();
        let valid = part.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let count = valid.chars().count();
        if valid.len() == part.len() {
            push_number(state, count);
            return 1;
        }
        // Luau's own function reports where the rest is invalid, or counts a character that extends beyond the part.
        ffi::lua_settop(state, ffi::lua_gettop(state).max(2));
        push_number(state, start + valid.len() + 1);
        ffi::lua_replace(state, 2);
        let results = original::<LENGTH>(state);
        if results == 1 {
            #[expect(clippy::cast_precision_loss, reason = "strings are shorter than 2^53 bytes")]
            let count = count as f64 + ffi::lua_tonumber(state, -1);
            ffi::lua_pushnumber(state, count);
        }
        results
    }
}
