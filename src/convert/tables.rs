//! The tables that a conversion has under way.

use mlua::WeakLua;
use mlua::prelude::*;

/// So many are held by Rust. There is room for a million such values altogether, see `raw::references`, and a page's array may
/// have more objects in it; those beyond are held by a table, which takes longer.
const FEW: usize = 200_000;

/// A list of tables, of any length.
pub(super) struct Tables<'a> {
    lua: &'a WeakLua,
    few: Vec<LuaTable>,
    /// Those after the few. None until there are some.
    more: Option<LuaTable>,
    length: usize,
}

impl<'a> Tables<'a> {
    pub(super) fn new(lua: &'a WeakLua) -> Self {
        Self { lua, few: Vec::new(), more: None, length: 0 }
    }

    /// Adds a table at the end.
    ///
    /// Returns its place, from 0.
    ///
    /// # Errors
    /// When there is no memory.
    pub(super) fn push(&mut self, table: &LuaTable) -> LuaResult<usize> {
        let place = self.length;
        if place < FEW {
            self.few.push(table.clone());
        } else {
            self.more()?.raw_set(place - FEW + 1, table)?;
        }
        self.length += 1;
        Ok(place)
    }

    /// The table at a place that was given out, and from which on nothing was taken since.
    ///
    /// # Errors
    /// When there is no memory.
    pub(super) fn get(&mut self, place: usize) -> LuaResult<LuaTable> {
        match self.few.get(place) {
            Some(table) => Ok(table.clone()),
            None => self.more()?.raw_get(place - FEW + 1),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Takes the last one.
    ///
    /// # Errors
    /// When there is no memory.
    pub(super) fn pop(&mut self) -> LuaResult<Option<LuaTable>> {
        let Some(last) = self.length.checked_sub(1) else { return Ok(None) };
        self.length = last;
        if last < FEW { Ok(self.few.pop()) } else { self.get(last).map(Some) }
    }

    fn more(&mut self) -> LuaResult<&LuaTable> {
        let more = match self.more.take() {
            Some(more) => more,
            None => self.lua.try_upgrade().ok_or_else(|| LuaError::runtime("the VM is disposed"))?.create_table()?,
        };
        Ok(self.more.insert(more))
    }
}
