//! `print` and `warn`, which write to the page's sinks.

use std::rc::Rc;

use mlua::prelude::*;

use crate::bind;
use crate::convert::{Converter, Shown, page_failure};
use crate::host::sink::Sink;
use crate::host::values::message_of;
use crate::text;

/// Puts `print` and `warn` into the globals of `lua`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, converter: &Converter, print: Sink, warn: Sink) -> LuaResult<()> {
    // One for both: while one writes, the other cannot.
    let shown = Rc::new(Shown::new(converter));
    for (name, sink) in [("print", print), ("warn", warn)] {
        let (shown, converter) = (shown.clone(), converter.downgrade());
        let write = bind::external(lua, move |_, (text, values): (LuaString, LuaMultiValue)| {
            let written =
                text::with_output(&text, |text| shown.during(values, |values| sink.put(&text.into(), values)));
            let thrown = match written {
                Ok(Ok(())) => return Ok(None),
                Ok(Err(thrown)) => thrown,
                Err(too_long) => return Ok(Some(too_long.to_string())),
            };
            let message = format!("the page's '{name}' failed: {}", message_of(&thrown));
            if let Some(converter) = converter.upgrade() {
                converter.note_raised(&page_failure(message.clone(), thrown));
            }
            Ok(Some(message))
        })?;
        let function: LuaFunction = bind::load(lua, include_str!("console.luau"), write)?;
        lua.globals().raw_set(name, function)?;
    }
    Ok(())
}
