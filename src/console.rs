//! `print` and `warn`, which write to the page's sinks.

use mlua::prelude::*;

use crate::bind::{self, Binder, Callee, Failure};
use crate::host::Sink;

/// Puts `print` and `warn` into the globals of `lua`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, binder: &Binder, print: Sink, warn: Sink) -> LuaResult<()> {
    for (name, sink) in [("print", print), ("warn", warn)] {
        let write = binder.plain(lua, Callee::Function(name), move |_, args| {
            let text = args.string(1)?.to_string_lossy();
            sink.put(&text.into()).map_err(|message| Failure::new(format!("the page's '{name}' failed: {message}")))
        })?;
        let function: LuaFunction = bind::load(lua, include_str!("console.luau"), write)?;
        lua.globals().raw_set(name, function)?;
    }
    Ok(())
}
