//! The list of the tables of a conversion.

use mlua::WeakLua;
use mlua::prelude::*;

/// The number of tables that Rust holds directly. It can hold a million values altogether (see `ffi::references`), and a host's array may
/// contain more objects. A Luau table holds the others, which is slower.
const MAX_DIRECT: usize = 200_000;

/// A list of tables, of any length.
pub(super) struct Tables<'a> {
    lua: &'a WeakLua,
    direct: Vec<LuaTable>,
    /// The Luau table that holds the tables after these. None until there are any.
    overflow: Option<LuaTable>,
    length: usize,
}

impl<'a> Tables<'a> {
    pub(super) fn new(lua: &'a WeakLua) -> Self {
        Self { lua, direct: Vec::new(), overflow: None, length: 0 }
    }

    /// Adds a table at the end. Returns its index, from 0.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn push(&mut self, table: &LuaTable) -> LuaResult<usize> {
        let place = self.length;
        if place < MAX_DIRECT {
            self.direct.push(table.clone());
        } else {
            self.overflow()?.raw_set(place - MAX_DIRECT + 1, table)?;
        }
        self.length += 1;
        Ok(place)
    }

    /// Returns the table at an index from [`push`](Self::push), unless it has been popped since.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn get(&mut self, place: usize) -> LuaResult<LuaTable> {
        match self.direct.get(place) {
            Some(table) => Ok(table.clone()),
            None => self.overflow()?.raw_get(place - MAX_DIRECT + 1),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Removes the last table.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn pop(&mut self) -> LuaResult<Option<LuaTable>> {
        let Some(last) = self.length.checked_sub(1) else { return Ok(None) };
        self.length = last;
        if last < MAX_DIRECT { Ok(self.direct.pop()) } else { self.get(last).map(Some) }
    }

    fn overflow(&mut self) -> LuaResult<&LuaTable> {
        let overflow = match self.overflow.take() {
            Some(overflow) => overflow,
            None => self.lua.try_upgrade().ok_or_else(|| LuaError::runtime("the VM is disposed"))?.create_table()?,
        };
        Ok(self.overflow.insert(overflow))
    }
}
