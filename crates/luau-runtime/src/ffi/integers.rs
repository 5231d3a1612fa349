//! Luau's 64-bit integers on their way to the host and back.
//!
//! mlua converts an integer to a number, and cannot represent an integer that a number cannot hold. So such an integer is put into a box
//! before mlua sees it, and taken out again behind mlua's back. The box is a userdata with a tag of its own, which no script ever gets.

use std::ffi::c_int;
use std::ptr;

use mlua::ffi;
use mlua::prelude::*;

use crate::value::number;

/// The tag of a box. mlua's userdata have the tag 0.
const TAG: c_int = 100;

/// The largest integer up to which JS and Luau numbers can hold all integers: 2^53 - 1.
const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// Returns true if a number can hold the integer.
#[must_use]
pub fn is_safe(integer: i64) -> bool {
    (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&integer)
}

/// Puts the integers on the stack that numbers cannot hold into boxes.
///
/// # Safety
/// `state` runs a C function, with at most its arguments on the stack.
pub(super) unsafe fn box_all(state: *mut ffi::lua_State) {
    // SAFETY: the caller's promise; there is room for another value. This frame has nothing to drop when an error of
    // `lua_newuserdatatagged` unwinds through it.
    unsafe {
        for index in 1..=ffi::lua_gettop(state) {
            if let Some(integer) = unsafe_integer(state, index) {
                push_box(state, integer);
                ffi::lua_replace(state, index);
            }
        }
    }
}

/// Takes the integers on the stack out of their boxes, from `first` on.
///
/// # Safety
/// `state` may be changed, and may raise an error.
pub(super) unsafe fn unbox_all(state: *mut ffi::lua_State, first: c_int) {
    // SAFETY: the caller's promise; a box has room for an integer.
    unsafe {
        for index in first..=ffi::lua_gettop(state) {
            let boxed = ffi::lua_touserdatatagged(state, index, TAG).cast::<i64>();
            if !boxed.is_null() {
                ffi::luaL_checkstack(state, 1, c"too many results".as_ptr());
                ffi::lua_pushinteger64(state, boxed.read_unaligned());
                ffi::lua_replace(state, index);
            }
        }
    }
}

/// # Safety
/// There is a value at `index`.
unsafe fn unsafe_integer(state: *mut ffi::lua_State, index: c_int) -> Option<i64> {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TINTEGER {
            return None;
        }
        Some(ffi::lua_tointeger64(state, index, ptr::null_mut())).filter(|&integer| !is_safe(integer))
    }
}

/// # Safety
/// There is room for another value on the stack.
unsafe fn push_box(state: *mut ffi::lua_State, integer: i64) {
    // SAFETY: the caller's promise; the box is as large as the integer.
    unsafe { ffi::lua_newuserdatatagged(state, size_of::<i64>(), TAG).cast::<i64>().write_unaligned(integer) };
}

/// Returns a box with an integer for a script.
///
/// # Errors
/// If there is not enough memory.
pub fn boxed(lua: &Lua, integer: i64) -> LuaResult<LuaValue> {
    // SAFETY: only the box is left on the stack.
    unsafe { lua.exec_raw((), |state| push_box(state, integer)) }
}

/// Returns the integer in a box, or none for other values.
pub fn unboxed(lua: &Lua, value: &LuaValue) -> Option<i64> {
    if !value.is_userdata() {
        return None;
    }
    // SAFETY: one value is pushed and popped again. The userdata exists already, so this needs no memory.
    lua.exec_raw_lua(|lua_in_use| unsafe {
        lua_in_use.push_value(value).ok()?;
        let state = lua_in_use.state();
        let boxed = ffi::lua_touserdatatagged(state, -1, TAG).cast::<i64>().as_ref().copied();
        ffi::lua_pop(state, 1);
        boxed
    })
}

/// Returns the exact value of a table field. mlua found `value` under `key`, but returns the nearest number for an integer. A large integer
/// is returned in a box.
///
/// # Errors
/// If there is not enough memory.
pub fn boxed_in(lua: &Lua, table: &LuaTable, key: &LuaValue, value: LuaValue) -> LuaResult<LuaValue> {
    #[expect(clippy::cast_precision_loss, reason = "2^53 - 1 is exact")]
    const MAX_SAFE: f64 = MAX_SAFE_INTEGER as f64;
    if !number(&value).is_some_and(|number| number.abs() > MAX_SAFE) {
        return Ok(value);
    }
    let mut integer = None;
    let found = &mut integer;
    // SAFETY: the table and the key are on the stack, and nothing is left there.
    unsafe {
        lua.exec_raw::<()>((table, key), |state| {
            ffi::lua_rawget(state, 1);
            *found = unsafe_integer(state, -1);
            ffi::lua_settop(state, 0);
        })?;
    }
    integer.map_or(Ok(value), |integer| boxed(lua, integer))
}

/// Sets a field of a table. The key and the value may be boxes, and are taken out of them.
///
/// # Errors
/// If there is not enough memory, or the table is read-only.
pub fn set_unboxed(lua: &Lua, table: &LuaTable, key: &LuaValue, value: &LuaValue) -> LuaResult<()> {
    // SAFETY: the table, the key and the value are on the stack, and nothing is left there.
    unsafe {
        lua.exec_raw((table, key, value), |state| {
            unbox_all(state, 2);
            ffi::lua_rawset(state, 1);
            ffi::lua_settop(state, 0);
        })
    }
}
