//! `print` and `warn`, which write to the page's sinks.

use mlua::prelude::*;

use crate::bind;
use crate::host::Sink;

/// Puts `print` and `warn` into the globals of `lua`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, print: Sink, warn: Sink) -> LuaResult<()> {
    for (name, sink) in [("print", print), ("warn", warn)] {
        let write = lua.create_function(move |_, text: LuaString| {
            let written = sink.put(&text.to_string_lossy().into());
            Ok(written.err().map(|message| format!("the page's '{name}' failed: {message}")))
        })?;
        let function: LuaFunction = bind::load(lua, include_str!("console.luau"), write)?;
        lua.globals().raw_set(name, function)?;
    }
    Ok(())
}
