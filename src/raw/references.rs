//! How many values of Luau Rust may hold.
//!
//! mlua keeps them on the stack of a thread of its own, has room for a million, and panics where it clones one more, which ends
//! the instance. A script can have any number held: by handlers, by what it defers, by functions that it hands to the page.
//! So it is refused a call into Rust while there are too many.

use std::cell::Cell;
use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

/// So many may be held before a call. There is room for three times as many: when a signal fires, its handlers and what they
/// are called with are held once more each.
const MOST: c_int = 300_000;

/// What a call may come to hold beside its arguments.
const BESIDE_ARGUMENTS: c_int = 16;

/// The bytes of a place on a stack of Luau's.
const PLACE: usize = 16;

/// What a script is told that has too many.
pub(super) const TOO_MANY: &str =
    "too many threads, handlers and values wait or are held by the host (at most 300,000)";

/// The values that Rust holds of one VM.
#[derive(Debug)]
pub(super) struct References {
    /// The thread on whose stack they stand.
    holder: *mut ffi::lua_State,
    /// How many more may be made until they are counted again.
    allowance: Cell<c_int>,
}

impl References {
    /// Those of `lua`, which has none yet but mlua's own when this is called first.
    ///
    /// # Errors
    /// When mlua does not keep them where it did.
    pub(super) fn of(lua: &Lua) -> LuaResult<Rc<Self>> {
        if let Some(known) = lua.app_data_ref::<Rc<Self>>() {
            return Ok(known.clone());
        }
        let mut threads = Vec::new();
        {
            let threads = &mut threads;
            // SAFETY: the stack is left as it was, but for what `lua_next` has taken off it at the end.
            unsafe {
                lua.exec_raw::<()>((), move |state| {
                    ffi::lua_pushnil(state);
                    while ffi::lua_next(state, ffi::LUA_REGISTRYINDEX) != 0 {
                        let thread = ffi::lua_tothread(state, -1);
                        if !thread.is_null() && ffi::lua_mainthread(state) != thread {
                            threads.push(thread);
                        }
                        ffi::lua_pop(state, 1);
                    }
                })?;
            }
        }
        let [holder] = threads[..] else {
            return Err(LuaError::runtime("mlua does not keep its references in one thread any more"));
        };
        let references = Rc::new(Self { holder, allowance: Cell::new(0) });
        lua.set_app_data(references.clone());
        Ok(references)
    }

    /// How many bytes it takes at most to hold one more: a stack with twice as many places as are in use is made anew with twice as many
    /// again.
    pub(super) fn growth(&self) -> usize {
        // SAFETY: as in `have_room`.
        let places = unsafe { ffi::lua_gettop(self.holder) };
        usize::try_from(places).unwrap_or_default().saturating_mul(4 * PLACE)
    }

    /// Whether a call with so many arguments may hold them, and a few more.
    pub(super) fn have_room(&self, arguments: c_int) -> bool {
        // SAFETY: mlua keeps the thread for as long as the VM is there; reading its stack changes nothing. A place that is
        // free has nil in it.
        unsafe {
            let places = ffi::lua_gettop(self.holder);
            if places < MOST {
                return true;
            }
            let needed = arguments + BESIDE_ARGUMENTS;
            if self.allowance.get() < needed {
                let mut free = MOST - places;
                for place in 1..=places {
                    free += c_int::from(ffi::lua_type(self.holder, place) == ffi::LUA_TNIL);
                }
                self.allowance.set(free);
            }
            let left = self.allowance.get() - needed;
            self.allowance.set(left.max(0));
            left >= 0
        }
    }
}
