//! Hands a thread of a script to Rust without a protected call, which would take longer than everything else that `task.defer` does.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

use super::memory::{call_for_script, script_with_room};
use super::references::References;

/// The function that takes the threads of a VM. The VM keeps it.
struct Taker {
    references: Rc<References>,
    take: Box<dyn Fn(LuaThread)>,
}

/// Creates the function of a VM that passes its argument to `take`, if that is a thread alone. With anything else, or if memory is short, it
/// calls `otherwise` as [`unlimited`](super::unlimited) does for our own Luau code.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn taking_threads(
    lua: &Lua,
    otherwise: LuaFunction,
    take: impl Fn(LuaThread) + 'static,
) -> LuaResult<LuaFunction> {
    let references = References::of(lua)?;
    let taker = Rc::new(Taker { references: references.clone(), take: Box::new(take) });
    let (references, pointer) = (Rc::as_ptr(&references).cast_mut(), Rc::as_ptr(&taker).cast_mut());
    lua.set_app_data(taker);
    // SAFETY: only `otherwise` is on the stack, and it becomes an upvalue of the function that is left there.
    unsafe {
        lua.exec_raw(otherwise, |state| {
            ffi::lua_pushlightuserdata(state, references.cast());
            ffi::lua_pushlightuserdata(state, pointer.cast());
            ffi::lua_pushcclosure(state, take_thread, 3);
        })
    }
}

unsafe extern "C-unwind" fn take_thread(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack and the upvalues from above, of which `call_for_script` expects the first two.
    // mlua's stack belongs to the same VM, has room for a value, and gets the memory for keeping it without an error.
    unsafe {
        let taker = ffi::lua_tolightuserdata(state, ffi::lua_upvalueindex(3)).cast::<Taker>();
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
        call_for_script(state)
    }
}
