//! A stand-in for Luau's own `require`, so that the linker leaves it and its configuration parser out.
//!
//! mlua gives Luau's `require` to every VM, and `modules` replaces it. It would add about 70 kB to the module.

use std::ffi::{c_int, c_void};

use mlua::ffi;

/// Called by mlua instead of the function in Luau's library, whose object file is then not needed.
///
/// # Safety
/// `state` is running, and may raise an error. The other arguments are not used.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn luarequire_pushproxyrequire(
    state: *mut ffi::lua_State,
    _configure: ffi::luarequire_Configuration_init,
    _context: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise. mlua expects a function whose first upvalue is a userdata, and leaves room for both.
    unsafe {
        ffi::lua_newuserdata(state, 0);
        ffi::lua_pushcclosurek(state, refuse, c"require".as_ptr(), 1, None);
    }
    1
}

unsafe extern "C-unwind" fn refuse(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this, and this frame has nothing to drop when the error unwinds through it.
    unsafe { ffi::luaL_error(state, c"mlua's `require` is not available: see the feature `module`".as_ptr()) }
}
