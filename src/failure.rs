//! Why a call failed, in the words that the script will read.

use mlua::prelude::*;

/// The failure of a function of ours. The place in the script is put before it by the Luau code around the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl From<LuaError> for Failure {
    fn from(error: LuaError) -> Self {
        let message = match error {
            LuaError::RuntimeError(message) => message,
            other => other.to_string(),
        };
        // The first line: what follows is mlua's traceback, and the script has its own.
        Self::new(message.lines().next().unwrap_or_default())
    }
}
