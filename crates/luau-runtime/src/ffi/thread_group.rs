//! Thread groups: all threads that a thread creates, by any means, belong to its group.

use mlua::prelude::*;
use mlua::{Thread, ffi};

/// Has new threads inherit the group of their creator.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn keep_thread_groups(lua: &Lua) -> LuaResult<()> {
    unsafe extern "C-unwind" fn created(parent: *mut ffi::lua_State, child: *mut ffi::lua_State) {
        // A thread without a parent is ending.
        if !parent.is_null() {
            // SAFETY: Luau calls this with two live threads. mlua does not use the thread data.
            unsafe { ffi::lua_setthreaddata(child, ffi::lua_getthreaddata(parent)) };
        }
    }
    // SAFETY: the callbacks belong to the VM and live as long. `created` raises no error.
    unsafe {
        lua.exec_raw((), |state| {
            (*ffi::lua_callbacks(state)).userthread = Some(created);
        })
    }
}

/// Returns the group of a thread, or 0 if it has none.
pub(crate) fn thread_group_of(thread: &Thread) -> usize {
    // SAFETY: `thread` keeps its state alive. The pointer is a number, and is never dereferenced.
    unsafe { ffi::lua_getthreaddata(thread.state()) }.addr()
}

/// Puts a thread into a group, or into none if `group` is 0.
pub(crate) fn set_thread_group(thread: &Thread, group: usize) {
    // SAFETY: as above.
    unsafe { ffi::lua_setthreaddata(thread.state(), std::ptr::without_provenance_mut(group)) };
}
