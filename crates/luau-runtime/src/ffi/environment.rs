//! `getfenv` and `setfenv` that reach only the environments of one owner.
//!
//! Luau's own versions reach the environment of any function and mark it as unsafe. That would let a script write the globals of another
//! run, and would slow down every chunk of the VM.

use std::ffi::c_int;

use mlua::ffi;
use mlua::prelude::*;

use super::is_our_code;

// The upvalues of both functions.
const GLOBALS: c_int = ffi::lua_upvalueindex(1);
const OWNERS: c_int = ffi::lua_upvalueindex(2);
const OWNER: c_int = ffi::lua_upvalueindex(3);

/// Returns a C function that creates `getfenv` and `setfenv`, and marks the globals that they are for as safe. Its arguments are these
/// globals, a table with the owner of each environment, and the number of these globals' owner.
///
/// The arguments become upvalues, which alone decide which environments the functions reach. So a script gains nothing by passing the
/// functions to another script's function.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn environment_functions(lua: &Lua) -> LuaResult<LuaFunction> {
    unsafe extern "C-unwind" fn make(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: only our own Luau code calls this, with three arguments. A C function has room for twenty values.
        unsafe {
            for index in 1..=3 {
                ffi::lua_pushvalue(state, index);
            }
            ffi::lua_pushcclosurek(state, get, c"getfenv".as_ptr(), 3, None);
            for index in 1..=3 {
                ffi::lua_pushvalue(state, index);
            }
            ffi::lua_pushcclosurek(state, set, c"setfenv".as_ptr(), 3, None);
            // No global in the new table shadows a library.
            ffi::lua_setsafeenv(state, 1, 1);
        }
        2
    }
    // SAFETY: only the function is left on the stack.
    unsafe { lua.exec_raw((), |state| ffi::lua_pushcfunction(state, make)) }
}

unsafe extern "C-unwind" fn get(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this, and this frame has nothing to drop when an error unwinds through it.
    unsafe {
        let is_level = ffi::lua_isfunction(state, 1) == 0;
        if is_level && ffi::luaL_optinteger_(state, 1, 1) == 0 {
            ffi::lua_pushvalue(state, GLOBALS);
        } else {
            push_function(state);
            // A function of another owner is treated like a C function, for which Luau's `getfenv` also returns the globals.
            if !push_own_environment(state) {
                ffi::lua_pushvalue(state, GLOBALS);
            }
        }
        // With the table, a script may write any global.
        ffi::lua_setsafeenv(state, -1, 0);
    }
    1
}

unsafe extern "C-unwind" fn set(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        ffi::luaL_checktype(state, 2, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        // The environment of a thread affects everything that runs in it, so scripts cannot set it.
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

/// Pushes the function given by the first argument, which is a function or a stack level.
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

/// Makes the table at `index` an environment of the owner. Returns false if it has another owner.
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

/// Pushes the owner of the table at `index`, or nil. Returns true if there is one.
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

/// Returns the environment of the innermost script function on the current thread's stack, or none if there is none.
pub(crate) fn calling_environment(lua: &Lua) -> Option<LuaTable> {
    // SAFETY: the current thread runs a C function, so there is room for two values. One value is pushed and popped again. A `lua_Debug` is
    // plain data, for which zero is a valid value. Nothing needs memory.
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
