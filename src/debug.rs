//! The library `debug`, without what is not for scripts.

use mlua::prelude::*;

use crate::bind;
use crate::error::CHUNK_NAME;

/// Puts our `info` into `debug`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua) -> LuaResult<()> {
    let debug: LuaTable = lua.globals().raw_get("debug")?;
    debug.raw_set("info", bind::load::<LuaFunction>(lua, include_str!("debug.luau"), CHUNK_NAME)?)
}
