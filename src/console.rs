//! `print` and `warn`, which write to the page's sinks.

use std::rc::Rc;

use mlua::prelude::*;

use crate::bind;
use crate::convert::{Converter, Shown, page_failure};
use crate::host::sink::Sink;
use crate::host::values::{message_of, text_from_utf8};
use crate::raw;
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
        let write = bind::external(lua, move |lua, (text, values): (LuaString, LuaMultiValue)| {
            if let Err(too_long) = text::check_output(&text) {
                return too_long.to_string().into_lua(lua);
            }
            raw::note_read(text.as_bytes().len());
            let line = text_from_utf8(&text.as_bytes());
            let written = line.and_then(|line| shown.during(values, |values| sink.put(&line, values)));
            let Err(thrown) = written else { return Ok(LuaNil) };
            let message = format!("the page's '{name}' failed: {}", message_of(&thrown));
            let failure = page_failure(message, thrown);
            Ok(match converter.upgrade() {
                Some(converter) => converter.raised(lua, failure),
                None => failure.into_thrown(lua).0,
            })
        })?;
        let function: LuaFunction = bind::load(lua, include_str!("console.luau"), write)?;
        lua.globals().raw_set(name, function)?;
    }
    Ok(())
}
