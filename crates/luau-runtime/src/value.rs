//! Luau's view of values, where mlua's is different.

use mlua::prelude::*;

use crate::text;

/// Returns a value as a number, if it is one. Luau has one number type, but mlua distinguishes integers.
#[must_use]
#[allow(clippy::cast_lossless, clippy::cast_precision_loss, reason = "mlua's integer was an f64 in Luau")]
pub fn number(value: &LuaValue) -> Option<f64> {
    match value {
        LuaValue::Number(number) => Some(*number),
        LuaValue::Integer(number) => Some(*number as f64),
        _ => None,
    }
}

/// Returns the type of a value as from `typeof`.
#[must_use]
pub fn type_name(value: &LuaValue) -> String {
    match value {
        LuaValue::UserData(data) => data.type_name().map_or_else(|_| "userdata".to_owned(), |name| text::shown(&name)),
        LuaValue::Integer(_) => "number".to_owned(),
        LuaValue::LightUserData(_) | LuaValue::Error(_) => "userdata".to_owned(),
        other => other.type_name().to_owned(),
    }
}
