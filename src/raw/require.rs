//! What stands for Luau's own `require`, so that the linker leaves it and its reader of configuration files out.
//!
//! mlua gives it to every VM, and `modules` puts another one in its place. With it the module would be longer by some 70 kB.

use std::ffi::{c_int, c_void};

use mlua::ffi;

/// Called by mlua instead of the function in Luau's library, whose object file is then not needed.
///
/// # Safety
/// `state` is running, and may raise an error. What it is called with is not used.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn luarequire_pushproxyrequire(
    state: *mut ffi::lua_State,
    _configure: ffi::luarequire_Configuration_init,
    _context: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise. mlua expects a function whose first upvalue is a userdata, and has room for both.
    unsafe {
        ffi::lua_newuserdata(state, 0);
        ffi::lua_pushcclosurek(state, refuse, c"require".as_ptr(), 1, None);
    }
    1
}

unsafe extern "C-unwind" fn refuse(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this, and nothing is left to drop when the error passes over it.
    unsafe { ffi::luaL_error(state, c"there is no `require` of mlua's here: see the feature `module`".as_ptr()) }
}
