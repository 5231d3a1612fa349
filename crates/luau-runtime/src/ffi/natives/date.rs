//! `os.date` in local time. The C library does not know the time zone here, but the host does.

use std::cell::{Cell, OnceCell};
use std::ffi::c_int;
use std::{mem, ptr, slice};

use mlua::ffi;

use super::{DATE, original, require_short_format};

/// The host's clock and time zone. Times are in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct TimeZone {
    /// The clock.
    pub now: fn() -> f64,
    /// The function that returns the offset of local time from UTC at a time.
    pub offset: fn(f64) -> Offset,
    /// The function that returns the abbreviation of the time zone at a time, such as `CET`.
    pub name: fn(f64) -> ZoneName,
}

/// The difference between local time and UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset {
    /// The number of seconds by which local time is ahead.
    pub seconds: i32,
    /// True while daylight-saving time is in effect.
    pub is_dst: bool,
}

/// The abbreviation of a time zone. It owns no memory, because Luau errors may unwind through it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ZoneName {
    bytes: [u8; 16],
    length: usize,
}

impl ZoneName {
    /// Creates a name, or none if it is longer than any abbreviation.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { bytes, length: name.len() })
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Offset {
    /// Returns the offset in the format of `%z`, such as `+0100`.
    #[must_use]
    pub fn digits(self) -> [u8; 5] {
        let minutes = self.seconds.unsigned_abs() / 60;
        let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let sign = if self.seconds < 0 { b'-' } else { b'+' };
        [sign, digit(hours / 10), digit(hours), digit(minutes / 10), digit(minutes)]
    }
}

thread_local! {
    static TIME_ZONE: Cell<Option<TimeZone>> = const { Cell::new(None) };
}

/// Sets the time zone for all VMs.
pub(super) fn set_time_zone(zone: TimeZone) {
    TIME_ZONE.set(Some(zone));
}

/// `os.date`. For local time it shifts the time by the offset and calls Luau's version in UTC.
pub(super) unsafe extern "C-unwind" fn date(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. Errors unwind through frames with nothing to drop. A buffer is plain data,
    // for which zero is a valid value.
    unsafe {
        require_short_format(state);
        ffi::lua_settop(state, 2);
        let mut length = 0;
        let format = ffi::luaL_optlstring(state, 1, c"%c".as_ptr(), &raw mut length);
        let format = slice::from_raw_parts(format.cast::<u8>(), length);
        let Some(zone) = TIME_ZONE.get().filter(|_| !format.starts_with(b"!")) else { return original::<DATE>(state) };
        let is_now = ffi::lua_isnoneornil(state, 2) != 0;
        let time = if is_now { (zone.now)() } else { ffi::luaL_checknumber(state, 2) }.trunc();
        if time < 0.0 {
            // Like Luau's version for local time.
            ffi::lua_pushnil(state);
            return 1;
        }
        let offset = (zone.offset)(time);
        // The host is asked once, and a script may want the name any number of times.
        let name = OnceCell::new();
        push_as_utc(state, format, offset, || *name.get_or_init(|| (zone.name)(time)));
        ffi::lua_replace(state, 1);
        ffi::lua_pushnumber(state, time + f64::from(offset.seconds));
        ffi::lua_replace(state, 2);
        let count = original::<DATE>(state);
        if ffi::lua_istable(state, -1) != 0 {
            ffi::lua_pushboolean(state, offset.is_dst.into());
            ffi::lua_setfield(state, -2, c"isdst".as_ptr());
        }
        count
    }
}

/// Pushes the format for UTC, with the time zone directives replaced.
///
/// # Safety
/// `state` runs a C function and keeps the format on its stack.
unsafe fn push_as_utc(state: *mut ffi::lua_State, format: &[u8], offset: Offset, name: impl Fn() -> ZoneName) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut buffer = mem::zeroed();
        ffi::luaL_buffinit(state, &raw mut buffer);
        let buffer = ptr::from_mut(&mut buffer);
        let add = |text: &[u8]| ffi::luaL_addlstring(buffer, text.as_ptr().cast(), text.len());
        add(b"!");
        let mut rest = format;
        while let Some(start) = memchr::memchr(b'%', rest) {
            let (before, directive) = rest.split_at(start);
            let (directive, after) = directive.split_at(directive.len().min(2));
            add(before);
            match directive {
                b"%z" => add(&offset.digits()),
                b"%Z" => add(name().as_bytes()),
                _ => add(directive),
            }
            rest = after;
        }
        add(rest);
        ffi::luaL_pushresult(buffer);
    }
}
