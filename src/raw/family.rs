//! Which threads belong together: those that a thread makes, by whatever means, are of its family.

use mlua::prelude::*;
use mlua::{Thread, ffi};

/// Has new threads take over the family of the one that makes them.
///
/// # Errors
/// When there is no memory.
pub(crate) fn keep_families(lua: &Lua) -> LuaResult<()> {
    unsafe extern "C-unwind" fn created(parent: *mut ffi::lua_State, child: *mut ffi::lua_State) {
        // A thread without a parent is one that ends.
        if !parent.is_null() {
            // SAFETY: Luau calls this with two threads that are alive. mlua leaves this datum of them alone.
            unsafe { ffi::lua_setthreaddata(child, ffi::lua_getthreaddata(parent)) };
        }
    }
    // SAFETY: the callbacks belong to the VM and live as long; `created` raises no error.
    unsafe {
        lua.exec_raw((), |state| {
            (*ffi::lua_callbacks(state)).userthread = Some(created);
        })
    }
}

/// The family of a thread; 0 where it was given none.
pub(crate) fn family_of(thread: &Thread) -> usize {
    // SAFETY: `thread` keeps its state alive. The pointer is a number, and nobody follows it.
    unsafe { ffi::lua_getthreaddata(thread.state()) }.addr()
}

/// Makes a thread the first of a family, or takes it out of the one that it is in.
pub(crate) fn set_family(thread: &Thread, family: usize) {
    // SAFETY: as above.
    unsafe { ffi::lua_setthreaddata(thread.state(), std::ptr::without_provenance_mut(family)) };
}
