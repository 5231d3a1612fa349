//! Hands a thread of a script to Rust without a protected call, which would take longer than everything else that `task.defer` does.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

use super::memory::script_with_room;
use super::references::References;

/// The function that takes the threads of a VM. The VM keeps it.
struct Taker {
    references: Rc<References>,
    take: Box<dyn Fn(LuaThread)>,
}

/// Creates the function of a VM that passes its argument to `take`, if that is a thread alone. `otherwise` is called with anything else, or
/// if memory is short.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn taking_threads(
    lua: &Lua,
    otherwise: LuaFunction,
    take: impl Fn(LuaThread) + 'static,
) -> LuaResult<LuaFunction> {
    let taker = Rc::new(Taker { references: References::of(lua)?, take: Box::new(take) });
    let pointer = Rc::as_ptr(&taker).cast_mut();
    lua.set_app_data(taker);
    // SAFETY: only `otherwise` is on the stack, and it becomes an upvalue of the function that is left there.
    unsafe {
        lua.exec_raw(otherwise, |state| {
            ffi::lua_pushlightuserdata(state, pointer.cast());
            ffi::lua_pushcclosure(state, take_thread, 2);
        })
    }
}

unsafe extern "C-unwind" fn take_thread(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack and the upvalues from above. Where `lua_call` raises an error, nothing is left
    // to drop. mlua's stack belongs to the same VM, has room for a value, and gets the memory for keeping it without an error.
    unsafe {
        let taker = ffi::lua_tolightuserdata(state, ffi::lua_upvalueindex(2)).cast::<Taker>();
        if let Some(taker) = taker.as_ref()
            && ffi::lua_gettop(state) == 1
            && ffi::lua_isthread(state, 1) != 0
            && taker.references.have_room(1)
            && let Some(lua) = script_with_room(&taker.references)
        {
            let thread = lua.exec_raw_lua(|lua_in_use| {
                ffi::lua_xpush(state, lua_in_use.state(), 1);
                lua_in_use.pop_value()
            });
            if let LuaValue::Thread(thread) = thread {
                (taker.take)(thread);
                return 0;
            }
        }
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, ffi::lua_gettop(state) - 1, ffi::LUA_MULTRET);
        ffi::lua_gettop(state)
    }
}
