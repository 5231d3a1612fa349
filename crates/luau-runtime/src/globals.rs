//! The tables of globals: one with the libraries and the host's globals, which scripts share and cannot change, and on top of it tables
//! that scripts can write.
//!
//! Luau treats globals as constants: it looks them up when it loads a chunk, and uses the results as long as the chunk's table is marked as
//! safe. Chunks are loaded in a thread that sees only the shared table. Code that gives a shared global another value, for all scripts or
//! for those of one table, removes that mark.
//!
//! The `_G` and `shared` of scripts are separate tables; see `globals.luau`.

use std::cell::{Cell, OnceCell};
use std::fmt;

use mlua::prelude::*;

use crate::ffi;
use crate::function;

/// The scripts that share a table of globals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlobalScope {
    /// Each run and each module has its own table.
    Run,
    /// All scripts of the VM share one table.
    Vm,
}

/// The globals that must not be shared, because they are a script's own or would reach other scripts' globals; see `globals.luau`.
const UNSHARED: [&str; 4] = ["_G", "getfenv", "setfenv", "loadstring"];

/// The tables that scripts can write. A host table of the same name does not replace such a table, but fills it.
const WRITABLE: [&str; 2] = ["_G", "shared"];

/// The owner of the shared table, which belongs to no script.
const NOBODY: u32 = 0;

/// The globals of one VM.
pub struct Globals {
    /// None without the sandbox, when scripts write to the shared table.
    scope: Option<GlobalScope>,
    /// The libraries and the host's globals.
    shared: LuaTable,
    /// The contents of the shared table before the host set any global.
    libraries: LuaTable,
    /// True once the host has replaced a library or library function that compiled code calls through a shortcut if the table is marked as
    /// safe.
    is_library_replaced: Cell<bool>,
    /// The host's entries for the tables of [`WRITABLE`], by the names of these tables.
    contents: LuaTable,
    /// True if `getfenv` and `setfenv` reach the environments of all scripts.
    have_one_owner: bool,
    /// The owner of each table that is the environment of a function. The keys are weak.
    owners: LuaTable,
    /// The table of all scripts. None if each script has its own, and until [`seal`](Self::seal).
    common: OnceCell<LuaTable>,
    /// The function that creates a table for scripts. None without the sandbox, and until [`seal`](Self::seal).
    make: OnceCell<LuaFunction>,
}

impl Globals {
    /// Takes over the globals of `lua`, which must have only the libraries. Without the sandbox there is no `scope`. With `have_one_owner`,
    /// `getfenv` and `setfenv` reach the functions of other scripts, as in Roblox.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn new(lua: &Lua, scope: Option<GlobalScope>, have_one_owner: bool) -> LuaResult<Self> {
        let (shared, owners, metatable) = (lua.globals(), lua.create_table()?, lua.create_table()?);
        metatable.raw_set("__mode", "k")?;
        owners.set_metatable(Some(metatable))?;
        owners.raw_set(&shared, NOBODY)?;
        if scope.is_some() {
            UNSHARED.into_iter().try_for_each(|name| shared.raw_set(name, LuaNil))?;
        }
        let libraries = lua.create_table()?;
        for pair in shared.pairs::<LuaValue, LuaValue>() {
            let (name, value) = pair?;
            libraries.raw_set(name, value)?;
        }
        let (common, make, contents) = (OnceCell::new(), OnceCell::new(), lua.create_table()?);
        let is_library_replaced = Cell::new(false);
        Ok(Self { scope, shared, libraries, is_library_replaced, contents, have_one_owner, owners, common, make })
    }

    /// Makes the shared table and the libraries read-only. After that scripts may run.
    ///
    /// `make_loadstring` returns the `loadstring` for a table of globals.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn seal(&self, lua: &Lua, make_loadstring: &LuaFunction) -> LuaResult<()> {
        let Some(scope) = self.scope else {
            if self.shared.raw_get::<LuaValue>("loadstring")?.is_nil() {
                self.shared.raw_set("loadstring", make_loadstring.call::<LuaFunction>(&self.shared)?)?;
            }
            if self.shared.raw_get::<LuaValue>("shared")?.is_nil() {
                self.shared.raw_set("shared", lua.create_table()?)?;
            }
            // Set only here.
            let _ = self.common.set(self.shared.clone());
            for name in WRITABLE {
                if let Some(entries) = self.contents.raw_get::<Option<LuaTable>>(name)? {
                    self.fill(name, &entries)?;
                }
            }
            return Ok(());
        };
        let environment_functions = ffi::environment_functions(lua)?;
        let contents = &self.contents;
        let args = (&self.shared, &self.owners, contents, environment_functions, make_loadstring, self.have_one_owner);
        let make: LuaFunction = function::load(lua, include_str!("globals.luau"), args)?;
        lua.sandbox(true)?;
        if scope == GlobalScope::Vm {
            let _ = self.common.set(self.create(&make, None, true)?);
        }
        let _ = self.make.set(make);
        Ok(())
    }

    /// Returns true if scripts cannot change the host's globals.
    #[must_use]
    pub fn are_read_only(&self) -> bool {
        self.scope.is_some()
    }

    /// Returns the table for a run, or for a module that a script with the globals `requirer` requires. They share `_G` and `shared`.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn for_chunk(&self, requirer: Option<&LuaTable>) -> LuaResult<LuaTable> {
        match (self.common.get(), self.make.get()) {
            (Some(common), _) => {
                self.note_replaced(common)?;
                Ok(common.clone())
            }
            (None, Some(make)) => {
                let owner = requirer.map(|requirer| self.owners.raw_get::<Option<u32>>(requirer)).transpose()?;
                self.create(make, owner.flatten(), false)
            }
            (None, None) => Ok(self.shared.clone()),
        }
    }

    /// Adds a global that is a script's own to the table for a run or a module. A host global of the same name takes precedence.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn add_own(&self, globals: &LuaTable, name: &str, value: impl IntoLua) -> LuaResult<()> {
        if self.shared.raw_get::<LuaValue>(name)?.is_nil() { globals.raw_set(name, value) } else { Ok(()) }
    }

    fn create(&self, make: &LuaFunction, requirer: Option<u32>, is_vm_scope: bool) -> LuaResult<LuaTable> {
        let globals: LuaTable = make.call((requirer, is_vm_scope))?;
        if self.is_library_replaced.get() {
            globals.set_safeenv(false);
        }
        Ok(globals)
    }

    /// Marks a table as unsafe if a script has set a global in it that the shared table also has. Must be called before another chunk is
    /// loaded for the table.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn note_replaced(&self, globals: &LuaTable) -> LuaResult<()> {
        for pair in globals.pairs::<LuaValue, LuaValue>() {
            let (name, _) = pair?;
            // A script may set any number of globals.
            ffi::check_time()?;
            if !self.shared.raw_get::<LuaValue>(name)?.is_nil() {
                globals.set_safeenv(false);
                break;
            }
        }
        Ok(())
    }

    /// Returns a global as seen by scripts that have not replaced it.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn get(&self, name: &str) -> LuaResult<LuaValue> {
        let common = self.common.get().map(|common| common.raw_get(name)).transpose()?;
        let value = common.filter(|value: &LuaValue| !value.is_nil()).map_or_else(|| self.shared.raw_get(name), Ok)?;
        if value.is_nil() { self.contents.raw_get(name) } else { Ok(value) }
    }

    /// Sets a global for all scripts. Nil removes the host's value, so a library is restored. A table for `_G` or `shared` fills the one
    /// that scripts have; if each run has its own, only later runs are affected.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn set(&self, lua: &Lua, name: &LuaValue, value: &LuaValue) -> LuaResult<()> {
        if let Some(writable) = WRITABLE.into_iter().find(|&writable| is_text(name, writable)) {
            match value {
                LuaValue::Table(entries) => {
                    self.contents.raw_set(writable, entries)?;
                    return self.fill(writable, entries);
                }
                LuaValue::Nil if !self.contents.raw_get::<LuaValue>(writable)?.is_nil() => {
                    return self.contents.raw_set(writable, LuaNil);
                }
                _ => {}
            }
        }
        let is_replaced = !self.shared.raw_get::<LuaValue>(name)?.is_nil();
        if has_shortcut(&self.libraries.raw_get(name)?) {
            self.is_library_replaced.set(true);
        }
        if let Some(common) = self.common.get() {
            if is_replaced {
                common.set_safeenv(false);
            }
            return ffi::set_unboxed(lua, common, name, value);
        }
        let value = if value.is_nil() { &self.libraries.raw_get(name)? } else { value };
        let is_sealed = self.shared.is_readonly();
        self.shared.set_readonly(false);
        let outcome = ffi::set_unboxed(lua, &self.shared, name, value);
        if is_sealed {
            self.shared.set_readonly(true);
            // It is still safe: chunks that are loaded from now on find the new value.
            self.shared.set_safeenv(true);
            if is_replaced {
                self.mark_unsafe()?;
            }
        }
        outcome
    }

    /// Puts `entries` into a table that all scripts share. Does nothing if each run has its own.
    fn fill(&self, name: &str, entries: &LuaTable) -> LuaResult<()> {
        let Some(common) = self.common.get() else { return Ok(()) };
        let LuaValue::Table(target) = common.raw_get(name)? else { return Ok(()) };
        for pair in entries.pairs::<LuaValue, LuaValue>() {
            let (key, value) = pair?;
            target.raw_set(key, value)?;
        }
        self.note_replaced(common)
    }

    /// Makes loaded chunks look up the globals that they treated as constants.
    fn mark_unsafe(&self) -> LuaResult<()> {
        for pair in self.owners.pairs::<LuaTable, u32>() {
            let (globals, owner) = pair?;
            if owner != NOBODY {
                globals.set_safeenv(false);
            }
        }
        Ok(())
    }
}

fn is_text(value: &LuaValue, text: &str) -> bool {
    matches!(value, LuaValue::String(value) if value.as_bytes() == text.as_bytes())
}

/// Returns true for a library and for one of Luau's own functions.
fn has_shortcut(value: &LuaValue) -> bool {
    match value {
        LuaValue::Table(_) => true,
        LuaValue::Function(function) => function.info().what == "C",
        _ => false,
    }
}

impl fmt::Debug for Globals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Globals").finish_non_exhaustive()
    }
}
