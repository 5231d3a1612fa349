//! Threads that scripts hand over, without a call that is protected: that costs several times what is done with the thread.

use std::cell::RefCell;
use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

use super::memory::ample_for_reference;
use super::references::References;

/// Who takes the threads.
struct Taker {
    references: Rc<References>,
    take: Box<dyn Fn(LuaThread)>,
}

/// Those of a VM, which keeps them for as long as the functions may be called that have pointers to them.
#[derive(Default)]
struct Takers(RefCell<Vec<Rc<Taker>>>);

/// A function for Luau code of ours that hands a thread to `take`. It returns whether it did: it does not where memory or places for
/// values are running out, and for that there is [`unlimited`](super::unlimited).
///
/// # Errors
/// When there is no memory.
pub(crate) fn handing_over(lua: &Lua, take: impl Fn(LuaThread) + 'static) -> LuaResult<LuaFunction> {
    let taker = Rc::new(Taker { references: References::of(lua)?, take: Box::new(take) });
    let pointer = Rc::as_ptr(&taker);
    if lua.app_data_ref::<Takers>().is_none() {
        lua.set_app_data(Takers::default());
    }
    if let Some(takers) = lua.app_data_ref::<Takers>() {
        takers.0.borrow_mut().push(taker);
    }
    // SAFETY: the pointer becomes an upvalue of the function that is left on the stack.
    unsafe {
        lua.exec_raw((), |state| {
            ffi::lua_pushlightuserdata(state, pointer.cast_mut().cast());
            ffi::lua_pushcclosure(state, hand_over, 1);
        })
    }
}

unsafe extern "C-unwind" fn hand_over(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the thread on the stack, and with the upvalue that `handing_over` gave it.
    unsafe {
        let taker = ffi::lua_tolightuserdata(state, ffi::lua_upvalueindex(1)).cast::<Taker>();
        let was_taken = taker.as_ref().is_some_and(|taker| taker.take_from(state));
        ffi::lua_pushboolean(state, c_int::from(was_taken));
        1
    }
}

impl Taker {
    /// # Safety
    /// `state` runs a C function, with a thread as its argument.
    unsafe fn take_from(&self, state: *mut ffi::lua_State) -> bool {
        if !self.references.have_room(1) {
            return false;
        }
        // SAFETY: both states belong to the same VM. One value is put onto the stack of the other, which has room for it as each has
        // that mlua works on, and is taken off it again. There is memory for the place where mlua keeps it, so nothing raises an error.
        let thread = ample_for_reference(&self.references, |lua| unsafe {
            lua.exec_raw_lua(|lua_in_use| {
                ffi::lua_xpush(state, lua_in_use.state(), 1);
                lua_in_use.pop_value()
            })
        });
        let Some(LuaValue::Thread(thread)) = thread else { return false };
        (self.take)(thread);
        true
    }
}
