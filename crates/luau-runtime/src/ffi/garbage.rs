//! `collectgarbage`, for scripts written for any version of Lua.

use std::ffi::{CStr, c_int};

use mlua::ffi;
use mlua::prelude::*;

/// The upvalue that is true if scripts may control the collector.
const IS_ALLOWED: c_int = ffi::lua_upvalueindex(1);

/// Replaces `collectgarbage` with a function that accepts all options of Lua 5.1 to 5.4. Unless `is_allowed`, the options that control the
/// collector do nothing: a script must not stop it, or collect again and again while other scripts wait.
///
/// # Errors
/// If there is not enough memory.
pub fn install_collectgarbage(lua: &Lua, is_allowed: bool) -> LuaResult<()> {
    // SAFETY: the stack is left as it was.
    unsafe {
        lua.exec_raw((), |state| {
            ffi::lua_pushboolean(state, is_allowed.into());
            ffi::lua_pushcclosurek(state, collectgarbage, c"collectgarbage".as_ptr(), 1, None);
            ffi::lua_setglobal(state, c"collectgarbage".as_ptr());
        })
    }
}

unsafe extern "C-unwind" fn collectgarbage(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack, which keeps the option alive. This frame has nothing to drop when an error
    // unwinds through it.
    unsafe {
        let option = CStr::from_ptr(ffi::luaL_optstring(state, 1, c"collect".as_ptr()));
        let control = |what: c_int| {
            if ffi::lua_toboolean(state, IS_ALLOWED) != 0 {
                ffi::lua_gc(state, what, 0);
            }
        };
        match option.to_bytes() {
            b"count" => {
                let kibibytes = f64::from(ffi::lua_gc(state, ffi::LUA_GCCOUNT, 0));
                let bytes = f64::from(ffi::lua_gc(state, ffi::LUA_GCCOUNTB, 0));
                ffi::lua_pushnumber(state, kibibytes + bytes / 1_024.0);
                return 1;
            }
            // True means that a cycle is complete. Otherwise a script that steps until completion would never end.
            b"step" => {
                control(ffi::LUA_GCCOLLECT);
                ffi::lua_pushboolean(state, 1);
                return 1;
            }
            b"isrunning" => {
                ffi::lua_pushboolean(state, ffi::lua_gc(state, ffi::LUA_GCISRUNNING, 0));
                return 1;
            }
            // They return the previous mode. Luau's collector has only this one.
            b"generational" | b"incremental" => {
                ffi::lua_pushstring(state, c"incremental".as_ptr());
                return 1;
            }
            b"collect" => control(ffi::LUA_GCCOLLECT),
            b"stop" => control(ffi::LUA_GCSTOP),
            b"restart" => control(ffi::LUA_GCRESTART),
            // They control how often and how fast the collector runs, which is up to the host.
            b"setpause" | b"setstepmul" | b"setgoal" | b"setstepsize" => {}
            _ => {
                ffi::luaL_error(state, c"collectgarbage called with invalid option".as_ptr());
            }
        }
        ffi::lua_pushnumber(state, 0.0);
        1
    }
}
