//! Counts memory of Rust as memory of a script.

use std::fmt;

use mlua::prelude::*;
use mlua::{WeakLua, ffi};

use super::allocator::{Account, refusal};
use super::memory::{limit_of, make_room, memory_left};

/// Memory that Rust holds for a script, and that counts as the script's until this is dropped.
#[must_use = "the memory counts only while this exists"]
pub struct Charge {
    lua: WeakLua,
    /// The VM's account, which lives as long as the VM.
    account: *mut Account,
    bytes: isize,
}

impl Charge {
    /// Charges this many bytes. Returns none if the VM has no limit.
    ///
    /// # Errors
    /// If they exceed the limit.
    pub fn new(lua: &Lua, bytes: usize) -> LuaResult<Option<Self>> {
        if limit_of(lua).is_none() {
            return Ok(None);
        }
        if memory_left(lua) < bytes {
            make_room(lua);
        }
        if memory_left(lua) < bytes {
            return Err(refusal());
        }
        let mut account = std::ptr::null_mut();
        // SAFETY: the stack is not used. A VM with a limit has our allocator, which is registered with its account.
        lua.exec_raw_lua(|lua_in_use| unsafe { ffi::lua_getallocf(lua_in_use.state(), &raw mut account) });
        let charge = Self { lua: lua.weak(), account: account.cast(), bytes: bytes.cast_signed() };
        charge.add(charge.bytes);
        Ok(Some(charge))
    }

    /// Adds to the used memory. Uses nothing of mlua, which panics while garbage is collected.
    fn add(&self, bytes: isize) {
        if let Some(_lua) = self.lua.try_upgrade() {
            // SAFETY: the VM exists, so its account does too. Nothing else refers to it between two allocations.
            unsafe { (*self.account).used += bytes };
        }
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Charge").field(&self.bytes).finish()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.add(-self.bytes);
    }
}
