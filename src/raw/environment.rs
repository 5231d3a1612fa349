//! `getfenv` and `setfenv` that reach the environments of one owner only.
//!
//! Luau's own reach the environment of any function and mark it as unsafe. That would let a script write the globals of another run, and
//! slow down every chunk of the VM.

use std::ffi::c_int;

use mlua::ffi;
use mlua::prelude::*;

use super::is_our_code;

// The upvalues of both functions.
const GLOBALS: c_int = ffi::lua_upvalueindex(1);
const OWNERS: c_int = ffi::lua_upvalueindex(2);
const OWNER: c_int = ffi::lua_upvalueindex(3);

/// Returns a function of C that makes `getfenv` and `setfenv`, and marks the globals that they are for as safe. It is called with these
/// globals, a table with the owner of each environment, and the owner of these globals, a number.
///
/// These upvalues alone decide which environments they reach, so passing them to another script's function gains nothing.
///
/// # Errors
/// When there is no memory.
pub(crate) fn environment_functions(lua: &Lua) -> LuaResult<LuaFunction> {
    unsafe extern "C-unwind" fn make(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: only Luau code of ours calls this, with three arguments. A C function has room for twenty values.
        unsafe {
            for index in 1..=3 {
                ffi::lua_pushvalue(state, index);
            }
            ffi::lua_pushcclosurek(state, get, c"getfenv".as_ptr(), 3, None);
            for index in 1..=3 {
                ffi::lua_pushvalue(state, index);
            }
            ffi::lua_pushcclosurek(state, set, c"setfenv".as_ptr(), 3, None);
            // Nothing in the new table replaces a library.
            ffi::lua_setsafeenv(state, 1, 1);
        }
        2
    }
    // SAFETY: the function is all that is left on the stack.
    unsafe { lua.exec_raw((), |state| ffi::lua_pushcfunction(state, make)) }
}

unsafe extern "C-unwind" fn get(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this; nothing is left to drop when an error passes over it.
    unsafe {
        let is_level = ffi::lua_isfunction(state, 1) == 0;
        if is_level && ffi::luaL_optinteger_(state, 1, 1) == 0 {
            ffi::lua_pushvalue(state, GLOBALS);
        } else {
            push_function(state);
            // A function of somebody else is like one of C, for which Luau's `getfenv` returns the globals, too.
            if !push_own_environment(state) {
                ffi::lua_pushvalue(state, GLOBALS);
            }
        }
        // Whoever gets the table may write any global.
        ffi::lua_setsafeenv(state, -1, 0);
    }
    1
}

unsafe extern "C-unwind" fn set(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        ffi::luaL_checktype(state, 2, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        // The environment of a thread reaches whatever runs in it, so scripts cannot set it.
        let is_thread = ffi::lua_isfunction(state, 1) == 0 && ffi::luaL_optinteger_(state, 1, 1) == 0;
        let is_own = !is_thread && {
            push_function(state);
            push_own_environment(state)
        };
        if !is_own || !adopt(state, 2) {
            ffi::luaL_error(state, c"'setfenv' cannot change environment of given object".as_ptr());
        }
        ffi::lua_settop(state, 3);
        ffi::lua_pushvalue(state, 2);
        ffi::lua_setsafeenv(state, -1, 0);
        ffi::lua_setfenv(state, 3);
    }
    1
}

/// Pushes the function that the first argument is, or that runs at that level of the stack.
///
/// # Safety
/// `state` runs one of the functions above.
unsafe fn push_function(state: *mut ffi::lua_State) {
    // SAFETY: the caller's promise. A `lua_Debug` is plain data, for which zero is a valid value.
    unsafe {
        if ffi::lua_isfunction(state, 1) != 0 {
            ffi::lua_pushvalue(state, 1);
            return;
        }
        let level = ffi::luaL_optinteger_(state, 1, 1);
        if level < 0 {
            ffi::luaL_argerror(state, 1, c"level must be non-negative".as_ptr());
        }
        let mut info: ffi::lua_Debug = std::mem::zeroed();
        if ffi::lua_getinfo(state, level, c"f".as_ptr(), &raw mut info) == 0 {
            ffi::luaL_argerror(state, 1, c"invalid level".as_ptr());
        }
    }
}

/// Pushes the environment of the function on top of the stack, if both belong to the owner. Returns false and pushes nothing otherwise.
///
/// # Safety
/// As for [`push_function`].
unsafe fn push_own_environment(state: *mut ffi::lua_State) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_iscfunction(state, -1) != 0 {
            return false;
        }
        ffi::lua_getfenv(state, -1);
        let is_own = push_owner(state, -1) && ffi::lua_rawequal(state, -1, OWNER) != 0;
        ffi::lua_pop(state, if is_own { 1 } else { 2 });
        is_own
    }
}

/// Makes the table at `index` an environment of the owner. Returns false if it is somebody else's.
///
/// # Safety
/// As for [`push_function`].
unsafe fn adopt(state: *mut ffi::lua_State, index: c_int) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let is_owned = push_owner(state, index);
        let is_own = ffi::lua_rawequal(state, -1, OWNER) != 0;
        ffi::lua_pop(state, 1);
        if !is_owned {
            ffi::lua_pushvalue(state, index);
            ffi::lua_pushvalue(state, OWNER);
            ffi::lua_rawset(state, OWNERS);
        }
        is_own || !is_owned
    }
}

/// Pushes the owner of the table at `index`, or nil. Returns whether there is one.
///
/// # Safety
/// As for [`push_function`].
unsafe fn push_owner(state: *mut ffi::lua_State, index: c_int) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushvalue(state, index);
        ffi::lua_rawget(state, OWNERS);
        ffi::lua_isnil(state, -1) == 0
    }
}

/// Returns the environment of the innermost function of a script that the current thread runs; none if it runs none.
pub(crate) fn calling_environment(lua: &Lua) -> Option<LuaTable> {
    // SAFETY: a C function runs in the current thread, so there is room for two values. One is left there, and taken off again. A
    // `lua_Debug` is plain data, for which zero is a valid value. Nothing needs memory.
    let environment = unsafe {
        lua.exec_raw_lua(|lua_in_use| {
            let state = lua_in_use.state();
            let mut info: ffi::lua_Debug = std::mem::zeroed();
            let mut level = 0;
            while ffi::lua_getinfo(state, level, c"f".as_ptr(), &raw mut info) != 0 {
                if ffi::lua_iscfunction(state, -1) == 0 && !is_our_code(state, level) {
                    ffi::lua_getfenv(state, -1);
                    ffi::lua_replace(state, -2);
                    return lua_in_use.pop_value();
                }
                ffi::lua_pop(state, 1);
                level += 1;
            }
            LuaNil
        })
    };
    environment.as_table().cloned()
}
