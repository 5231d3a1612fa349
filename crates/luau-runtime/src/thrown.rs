//! Converts Luau errors to [`ScriptError`]s.

use mlua::prelude::*;

use crate::error::{Frame, Kind, NOT_ENOUGH_MEMORY, ScriptError};
use crate::ffi::{self, Termination};
use crate::text;
use crate::value::type_name;

/// The maximum length of a message, in bytes. Nobody reads more, and the host may not be able to handle it.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

impl ScriptError {
    /// Creates the error for a value that a script threw.
    #[must_use]
    pub fn thrown(lua: &Lua, value: LuaValue, frames: Vec<Frame>) -> Self {
        let message = match &value {
            LuaValue::String(text) => text::beginning(text, MAX_MESSAGE_BYTES),
            LuaValue::Error(error) => return Self { value: value.clone(), frames, ..Self::from_lua(error, "") },
            other => ffi::text_of(lua, other)
                .map_or_else(|| type_name(other), |text| text::beginning(&text, MAX_MESSAGE_BYTES)),
        };
        // Our own libraries put the place and the failed operation before the text, so it is at the end. A script can throw the same text,
        // which counts only if memory was refused.
        let is_memory = message.ends_with(NOT_ENOUGH_MEMORY) && ffi::was_refused_memory();
        let kind = if is_memory { Kind::Memory } else { Kind::Runtime };
        Self { value, frames, ..Self::new(kind, message) }
    }

    /// Converts an mlua error from a call that runs no script, such as compiling or creating a value.
    #[must_use]
    pub fn from_lua(error: &LuaError, chunk_name: &str) -> Self {
        let (kind, message) = match error {
            LuaError::SyntaxError { message, .. } => (Kind::Syntax, message.clone()),
            LuaError::MemoryError(message) => (Kind::Memory, message.clone()),
            LuaError::RuntimeError(message) => (Kind::Runtime, message.clone()),
            other => match other.downcast_ref::<Termination>() {
                Some(termination) => (termination.kind(), termination.to_string()),
                None => (Kind::Runtime, other.to_string()),
            },
        };
        let line = message
            .strip_prefix(chunk_name)
            .and_then(|rest| rest.strip_prefix(':'))
            .and_then(|rest| rest.split_once(':'))
            .and_then(|(line, _)| line.parse().ok());
        let frames = Frame::new(Some(chunk_name.to_owned()), line.unwrap_or(0), None);
        Self { frames: frames.into_iter().collect(), ..Self::new(kind, message) }
    }
}
