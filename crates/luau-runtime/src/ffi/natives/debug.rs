//! `debug.info` and `debug.traceback`, which show the functions that scripts have called and none of our own code.
//!
//! Our Luau code around native functions does not count as a stack level, so a level means the same as if the function were native. The
//! bottom of a thread whose end is reported does not count either: our code, and the `xpcall` with which it calls the script's function.

use std::ffi::{CStr, c_char, c_int};
use std::mem;

use mlua::ffi;

use super::super::clock_schedule::check_clock_soon;
use super::super::guard::raise_if_out_of_time;
use super::super::is_our_code;
use super::{INFO, original};

/// The source of a function that is not Luau code.
const NATIVE: &CStr = c"[C]";

/// `debug.info`. At a stack level it returns only script functions: native functions trust their arguments, and must be called only by the
/// code that they were created for.
pub(super) unsafe extern "C-unwind" fn info(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack, and the original function may be called in this frame.
    unsafe {
        let (thread, first) = subject(state);
        if first == 1 && ffi::lua_isfunction(state, 1) != 0 {
            return info_of_function(state);
        }
        if ffi::lua_isnumber(state, first) != 0
            && let Ok(level) = u32::try_from(ffi::lua_tointeger_(state, first))
        {
            ffi::lua_pushnumber(state, real_level(thread, level).into());
            ffi::lua_replace(state, first);
        }
        let count = original::<INFO>(state);
        for index in ffi::lua_gettop(state) - count + 1..=ffi::lua_gettop(state) {
            if ffi::lua_isfunction(state, index) != 0
                && (ffi::lua_iscfunction(state, index) != 0 || is_ours(state, index))
            {
                ffi::lua_pushnil(state);
                ffi::lua_replace(state, index);
            }
        }
        count
    }
}

/// Implements [`info`] for a function, the first argument. Our own Luau functions are shown as native ones.
///
/// # Safety
/// As for [`original`].
unsafe fn info_of_function(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: the caller's promise. The original has checked the options, which are on the stack.
    unsafe {
        let is_ours = is_ours(state, 1);
        let count = original::<INFO>(state);
        if !is_ours {
            return count;
        }
        let mut index = ffi::lua_gettop(state) - count + 1;
        for option in CStr::from_ptr(ffi::lua_tostring(state, 2)).to_bytes() {
            match option {
                b's' => {
                    ffi::lua_pushstring(state, NATIVE.as_ptr());
                }
                b'l' => ffi::lua_pushnumber(state, -1.0),
                b'a' => {
                    ffi::lua_pushnumber(state, 0.0);
                    ffi::lua_replace(state, index);
                    index += 1;
                    ffi::lua_pushboolean(state, 1);
                }
                _ => ffi::lua_pushvalue(state, index),
            }
            ffi::lua_replace(state, index);
            index += 1;
        }
        count
    }
}

/// `debug.traceback`.
pub(super) unsafe extern "C-unwind" fn traceback(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. Errors unwind through frames with nothing to drop. A `lua_Debug` and a
    // buffer are plain data, for which zero is a valid value.
    unsafe {
        let (thread, first) = subject(state);
        let mut length = 0;
        let message = ffi::luaL_optlstring(state, first, std::ptr::null(), &raw mut length);
        let level = ffi::luaL_optinteger_(state, first + 1, c_int::from(thread == state));
        let Ok(level) = u32::try_from(level) else {
            ffi::luaL_argerror(state, first + 1, c"level can't be negative".as_ptr());
        };
        let mut buffer = mem::zeroed();
        ffi::luaL_buffinit(state, &raw mut buffer);
        let mut add = |text: &[u8]| ffi::luaL_addlstring(&raw mut buffer, text.as_ptr().cast(), text.len());
        if !message.is_null() {
            add(std::slice::from_raw_parts(message.cast(), length));
            add(b"\n");
        }
        let mut info: ffi::lua_Debug = mem::zeroed();
        let mut level = real_level(thread, level);
        while ffi::lua_getinfo(thread, level, c"sln".as_ptr(), &raw mut info) != 0 {
            raise_if_out_of_time(state, 1);
            if bytes(info.what) != b"C" && !is_our_code(thread, level) {
                add(bytes(info.short_src));
                if info.currentline > 0 {
                    add(b":");
                    add_number(&mut add, info.currentline.unsigned_abs());
                }
                if !info.name.is_null() {
                    add(b" function ");
                    add(bytes(info.name));
                }
                add(b"\n");
            }
            level += 1;
        }
        ffi::luaL_pushresult(&raw mut buffer);
        1
    }
}

/// Writes a number without allocating, because an error may unwind through this frame.
fn add_number(add: &mut impl FnMut(&[u8]), number: u32) {
    if number >= 10 {
        add_number(add, number / 10);
    }
    add(&[b'0' + u8::try_from(number % 10).unwrap_or_default()]);
}

/// Returns the thread that a call is about, and the index of the next argument.
///
/// # Safety
/// `state` runs a C function.
unsafe fn subject(state: *mut ffi::lua_State) -> (*mut ffi::lua_State, c_int) {
    // SAFETY: the caller's promise.
    unsafe { if ffi::lua_isthread(state, 1) != 0 { (ffi::lua_tothread(state, 1), 2) } else { (state, 1) } }
}

/// Converts a stack level as scripts count it to Luau's level. Returns one past the end if there is no such level.
///
/// # Safety
/// `thread` is alive.
unsafe fn real_level(thread: *mut ffi::lua_State, level: u32) -> c_int {
    let mut remaining = level;
    let mut real = 0;
    // SAFETY: the caller's promise. A `lua_Debug` is plain data, for which zero is a valid value; nothing is pushed.
    unsafe {
        let (mut info, mut unused): (ffi::lua_Debug, ffi::lua_Debug) = (mem::zeroed(), mem::zeroed());
        while ffi::lua_getinfo(thread, real, c"s".as_ptr(), &raw mut info) != 0 {
            let mut is_at_bottom = || {
                bytes(info.what) == b"C"
                    && is_our_code(thread, real + 1)
                    && ffi::lua_getinfo(thread, real + 2, c"".as_ptr(), &raw mut unused) == 0
            };
            if !is_our_code(thread, real) && !is_at_bottom() {
                if remaining == 0 {
                    break;
                }
                remaining -= 1;
            }
            real += 1;
        }
    }
    if real > DEEP_LEVEL {
        check_clock_soon();
    }
    real
}

/// A level that takes about as long to find as the clock takes to read.
const DEEP_LEVEL: c_int = 10;

/// Returns true if the function at `index` is our own Luau code.
///
/// # Safety
/// `state` runs a C function, and has room for a value.
unsafe fn is_ours(state: *mut ffi::lua_State, index: c_int) -> bool {
    // SAFETY: the caller's promise. A negative level is a function on the stack.
    unsafe {
        ffi::lua_pushvalue(state, index);
        let is_ours = is_our_code(state, -1);
        ffi::lua_pop(state, 1);
        is_ours
    }
}

/// Returns the bytes of a text from `lua_getinfo`.
///
/// # Safety
/// `text` is null or a C string that lives for `'a`.
unsafe fn bytes<'a>(text: *const c_char) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { if text.is_null() { b"" } else { CStr::from_ptr(text).to_bytes() } }
}
