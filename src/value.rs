//! What a Luau value is, where mlua's view of it is not Luau's own.

use mlua::prelude::*;

use crate::text;

/// A value as a number, if it is one: Luau has one type of number, and mlua tells whole ones apart.
#[must_use]
#[allow(clippy::cast_lossless, clippy::cast_precision_loss, reason = "an integer of mlua's was an f64 in Luau")]
pub fn number(value: &LuaValue) -> Option<f64> {
    match value {
        LuaValue::Number(number) => Some(*number),
        LuaValue::Integer(number) => Some(*number as f64),
        _ => None,
    }
}

/// What `typeof` says of a value.
#[must_use]
pub fn type_name(value: &LuaValue) -> String {
    match value {
        LuaValue::UserData(data) => data.type_name().map_or_else(|_| "userdata".to_owned(), |name| text::shown(&name)),
        LuaValue::Integer(_) => "number".to_owned(),
        LuaValue::LightUserData(_) | LuaValue::Error(_) => "userdata".to_owned(),
        other => other.type_name().to_owned(),
    }
}
