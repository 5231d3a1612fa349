//! Chunks: from source to a function.
//!
//! Luau takes globals for constants: it looks them up when a chunk is loaded, and uses what it found as long as the table
//! of globals is marked as safe. Here many chunks share their globals, and the page sets some too; so what a chunk finds
//! must not be what was there when it was loaded. Only our own libraries are looked up early, by loading chunks in a thread
//! that sees nothing else; and once somebody puts something in the place of one of those, the mark is taken away.

use std::cell::OnceCell;
use std::ffi::CString;

use mlua::chunk::Compiler;
use mlua::prelude::*;

use crate::error::CHUNK_NAME;
use crate::raw;

/// Loads the chunks of one VM.
#[derive(Debug)]
pub struct Chunks {
    /// Never runs. Its globals are the libraries alone.
    loader: LuaThread,
    libraries: LuaTable,
    /// Those of the scripts, once they have their own. A thread may have put something in their place for itself, and mlua
    /// gives those of the thread that runs.
    globals: OnceCell<LuaTable>,
}

impl Chunks {
    /// To be made before the sandbox is closed, and so before scripts have globals of their own.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(lua: &Lua) -> LuaResult<Self> {
        let nothing = lua.create_function(|_, ()| Ok(()))?;
        Ok(Self { loader: lua.create_thread(nothing)?, libraries: lua.globals(), globals: OnceCell::new() })
    }

    /// Takes note of the globals of scripts, when they are what they will be.
    pub fn set_globals(&self, globals: LuaTable) {
        // Set once, by the VM.
        let _ = self.globals.set(globals);
    }

    /// The globals of scripts, whichever thread runs.
    #[must_use]
    pub fn globals(&self) -> LuaTable {
        self.globals.get().unwrap_or(&self.libraries).clone()
    }

    /// The function of a chunk, with its globals. Its name begins with a `=` unless Luau is to make one from the text.
    ///
    /// # Errors
    /// When the source is no Luau program, or there is no memory.
    pub fn load(&self, lua: &Lua, source: &[u8], name: &str, globals: LuaTable) -> LuaResult<LuaFunction> {
        // The name of our own chunks is theirs alone: by it they are left out of tracebacks, and not interrupted.
        let name = if name.trim_start_matches(['=', '@']) == CHUNK_NAME { "=script" } else { name };
        let program = Compiler::new().compile(source).map_err(|error| with_name(error, name))?;
        // C ends a text at a zero.
        let name = CString::new(name.replace('\0', " ")).unwrap_or_default();
        for pair in globals.pairs::<LuaValue, LuaValue>() {
            let (global, _) = pair?;
            self.note_global(lua, &global, &globals)?;
        }
        raw::load(lua, &self.loader, &name, &program, globals)
    }

    /// Takes note of a global among `globals` that a script or the page has set.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn note_global(&self, lua: &Lua, name: &LuaValue, globals: &LuaTable) -> LuaResult<()> {
        if self.libraries.raw_get::<LuaValue>(name)?.is_nil() { Ok(()) } else { raw::mark_unsafe(lua, globals.clone()) }
    }

    /// A global, whether it is the script's own or a library.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn global(&self, name: &str) -> LuaResult<LuaValue> {
        match self.globals().raw_get(name)? {
            LuaValue::Nil => self.libraries.raw_get(name),
            value => Ok(value),
        }
    }
}

/// The compiler's message begins with the line; before it comes the name of the chunk, as Luau shows it.
fn with_name(error: LuaError, name: &str) -> LuaError {
    match error {
        LuaError::SyntaxError { message, incomplete_input } => {
            let shown = match name.strip_prefix(['=', '@']) {
                Some(name) => name.to_owned(),
                None => format!("[string \"{}\"]", name.lines().next().unwrap_or_default()),
            };
            LuaError::SyntaxError { message: format!("{shown}:{message}"), incomplete_input }
        }
        other => other,
    }
}
