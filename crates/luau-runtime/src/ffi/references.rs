//! The limit on the Luau values that Rust may hold.
//!
//! mlua keeps these values on the stack of a thread of its own. It has room for a million, and panics when it clones one more, which ends
//! the instance. A script can make Rust hold any number of values: through handlers, deferred calls, and functions passed to the host. So a
//! script is refused a call into Rust while Rust holds too many.

use std::cell::Cell;
use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

/// The maximum number of values held before a call. There is room for three times as many: when a signal fires, its handlers and their
/// arguments are each held once more.
const MAX_HELD: c_int = 300_000;

/// The number of values that a call may hold in addition to its arguments.
const BESIDE_ARGUMENTS: c_int = 16;

/// The size of a slot on a Luau stack, in bytes.
const SLOT_BYTES: usize = 16;

/// The error message of a script that makes Rust hold too many values.
pub(super) const TOO_MANY: &str =
    "too many threads, handlers and values are waiting or held by the host (at most 300,000)";

/// The values of one VM that Rust holds.
#[derive(Debug)]
pub(super) struct References {
    /// The thread whose stack holds them.
    holder: *mut ffi::lua_State,
    /// The number of values that may still be added before they are counted again.
    allowance: Cell<c_int>,
}

impl References {
    /// Returns the references of `lua`. At the first call it must have none except mlua's own.
    ///
    /// # Errors
    /// If mlua no longer keeps them where it used to.
    pub(super) fn of(lua: &Lua) -> LuaResult<Rc<Self>> {
        if let Some(known) = lua.app_data_ref::<Rc<Self>>() {
            return Ok(known.clone());
        }
        let mut threads = Vec::new();
        {
            let threads = &mut threads;
            // SAFETY: the stack is left as it was: at the end `lua_next` has popped the key.
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
            return Err(LuaError::runtime("mlua no longer keeps its references in one thread"));
        };
        let references = Rc::new(Self { holder, allowance: Cell::new(0) });
        lua.set_app_data(references.clone());
        Ok(references)
    }

    /// Returns the maximum number of bytes needed to hold one more value. At most, a stack with twice as many slots as are in use is
    /// reallocated with twice as many again.
    pub(super) fn growth(&self) -> usize {
        // SAFETY: as in `have_room`.
        let slots = unsafe { ffi::lua_gettop(self.holder) };
        usize::try_from(slots).unwrap_or_default().saturating_mul(4 * SLOT_BYTES)
    }

    /// Returns true if a call may hold this many arguments, and a few more values.
    pub(super) fn have_room(&self, arguments: c_int) -> bool {
        // SAFETY: mlua keeps the thread as long as the VM lives, and reading its stack changes nothing. A free slot holds nil.
        unsafe {
            let slots = ffi::lua_gettop(self.holder);
            if slots < MAX_HELD {
                return true;
            }
            let needed = arguments + BESIDE_ARGUMENTS;
            if self.allowance.get() < needed {
                let mut free = MAX_HELD - slots;
                for slot in 1..=slots {
                    free += c_int::from(ffi::lua_type(self.holder, slot) == ffi::LUA_TNIL);
                }
                self.allowance.set(free);
            }
            let left = self.allowance.get() - needed;
            self.allowance.set(left.max(0));
            left >= 0
        }
    }
}
