//! Why a call failed, in the words that the script will read.

use mlua::prelude::*;

use crate::error::ScriptError;
use crate::origin::{Cause, Origin};

/// The failure of a function of ours. The place in the script is put before it by the Luau code around the function.
#[derive(Clone, Debug)]
pub struct Failure {
    message: String,
    /// What is thrown instead of the text, and without a place, if there is something.
    value: Option<LuaValue>,
    /// Where it comes from, if there is more to say of that than the text does.
    origin: Option<Origin>,
}

impl Failure {
    /// A failure with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), value: None, origin: None }
    }

    /// A failure with this text, because of what the page threw.
    pub fn caused(message: impl Into<String>, cause: Cause) -> Self {
        Self { origin: Some(Origin::Page(cause)), ..Self::new(message) }
    }

    /// A failure with this text, because of an error in another thread.
    pub fn of_error(message: impl Into<String>, error: ScriptError) -> Self {
        Self { origin: Some(Origin::script(error)), ..Self::new(message) }
    }

    /// An error in another thread that is thrown anew as it was, since it is no text.
    pub fn of_value(error: ScriptError) -> Self {
        Self { value: Some(error.value.clone()), ..Self::of_error(error.message.clone(), error) }
    }

    /// The text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the script catches, but for the place.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn thrown(&self, lua: &Lua) -> LuaResult<LuaValue> {
        match &self.value {
            Some(value) => Ok(value.clone()),
            None => self.message.as_str().into_lua(lua),
        }
    }

    /// Where it comes from.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }
}

impl From<LuaError> for Failure {
    fn from(error: LuaError) -> Self {
        let message = match error {
            LuaError::RuntimeError(message) | LuaError::MemoryError(message) => message,
            other => other.to_string(),
        };
        // The first line: what follows is mlua's traceback, and the script has its own.
        Self::new(message.lines().next().unwrap_or_default())
    }
}
