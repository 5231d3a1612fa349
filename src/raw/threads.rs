//! Threads that scripts have made of their functions, without a call that is protected: that costs several times what is done with them.

use std::cell::RefCell;
use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

use super::memory::{call_plainly, push_wrapped, script_with_room};
use super::references::References;

/// Who takes the threads.
struct Taker {
    references: Rc<References>,
    take: Box<dyn Fn(LuaThread)>,
}

/// Those of a VM, which keeps them for as long as the functions may be called that have pointers to them.
#[derive(Default)]
struct Takers(RefCell<Vec<Rc<Taker>>>);

/// [`unlimited_plain`](super::unlimited_plain), but that a function alone is made into a thread, which `take` gets and the script too.
/// `function` is called for all else, and where memory or places for values are running out.
///
/// # Errors
/// When there is no memory.
pub(crate) fn unlimited_making_threads(
    lua: &Lua,
    function: LuaFunction,
    take: impl Fn(LuaThread) + 'static,
) -> LuaResult<LuaFunction> {
    let references = References::of(lua)?;
    let taker = Rc::new(Taker { references: references.clone(), take: Box::new(take) });
    let pointer = Rc::as_ptr(&taker);
    if lua.app_data_ref::<Takers>().is_none() {
        lua.set_app_data(Takers::default());
    }
    if let Some(takers) = lua.app_data_ref::<Takers>() {
        takers.0.borrow_mut().push(taker);
    }
    // SAFETY: the function is what is on the stack, and the pointer becomes the third upvalue of the one that is left there.
    unsafe {
        lua.exec_raw(function, |state| {
            push_wrapped(state, &references, call_making_thread, pointer.cast());
        })
    }
}

unsafe extern "C-unwind" fn call_making_thread(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack, and with the upvalues that it was made with. Where an error of
    // `lua_newthread` passes, nothing is left to drop.
    unsafe {
        let taker = ffi::lua_tolightuserdata(state, ffi::lua_upvalueindex(3)).cast::<Taker>();
        let is_one = ffi::lua_gettop(state) == 1 && ffi::lua_isfunction(state, 1) != 0;
        let Some(taker) = taker.as_ref().filter(|_| is_one) else { return call_plainly(state) };
        let Some(lua) = taker.references.have_room(1).then(|| script_with_room(&taker.references)).flatten() else {
            return call_plainly(state);
        };
        let thread = ffi::lua_newthread(state);
        ffi::lua_xpush(state, thread, 1);
        // Both states belong to the same VM. The value is put onto the stack of the other, which has room for it as each has that mlua
        // works on, and is taken off it again. There is memory for the place where mlua keeps it, so nothing raises an error.
        let thread = lua.exec_raw_lua(|lua_in_use| {
            ffi::lua_xpush(state, lua_in_use.state(), -1);
            lua_in_use.pop_value()
        });
        if let LuaValue::Thread(thread) = thread {
            (taker.take)(thread);
        }
        1
    }
}
