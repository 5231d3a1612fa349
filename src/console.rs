//! `print` and `warn`, which write to the host's sinks.

use std::rc::Rc;

use mlua::prelude::*;

use crate::convert::{Converter, PrintedValues};
use crate::js::sink::Sink;
use crate::js::values::{caused, message_of, text_from_utf8};
use luau_runtime::function;
use luau_runtime::limits;
use luau_runtime::text;

/// Adds `print` and `warn` to the globals of `lua`.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn install(lua: &Lua, converter: &Converter, print: Sink, warn: Sink) -> LuaResult<()> {
    // Shared by both, because only one of them can write at a time.
    let printed = Rc::new(PrintedValues::new(converter));
    for (name, sink) in [("print", print), ("warn", warn)] {
        let (printed, converter) = (printed.clone(), converter.downgrade());
        let write = function::external(lua, move |lua, (text, values): (LuaString, LuaMultiValue)| {
            if let Err(too_long) = text::check_output(&text) {
                return too_long.to_string().into_lua(lua);
            }
            limits::note_read(text.as_bytes().len());
            let line = text_from_utf8(&text.as_bytes())?;
            let written = printed.with(values, |values| sink.put(&line, values));
            let Err(thrown) = written else { return Ok(LuaNil) };
            let message = format!("the host's '{name}' failed: {}", message_of(&thrown));
            let error = caused(message, thrown);
            Ok(match converter.upgrade() {
                Some(converter) => converter.raised(lua, error),
                None => error.into_thrown(lua).0,
            })
        })?;
        let function: LuaFunction = function::load(lua, include_str!("console.luau"), write)?;
        lua.globals().raw_set(name, function)?;
    }
    Ok(())
}
