//! The error of a call, as the script sees it.

use std::rc::Rc;

use mlua::prelude::*;

use crate::error::{Cause, Kind, NOT_ENOUGH_MEMORY, ScriptError};
use crate::error_source::ErrorSource;
use crate::ffi;

/// The error of one of our functions. The Luau code around the function puts the script's place before the message.
#[derive(Clone, Debug)]
pub struct CallError {
    /// Shared, because thousands of threads of a script may wait for a module that fails with a long message.
    message: Rc<str>,
    /// The value that is thrown instead of the message, without a position.
    value: Option<LuaValue>,
    /// True if the message already begins with its place.
    has_place: bool,
    /// The source of the error, if more than the message is known.
    source: Option<ErrorSource>,
}

impl CallError {
    /// Creates an error with this message.
    pub fn new(message: impl Into<Rc<str>>) -> Self {
        Self { message: message.into(), value: None, has_place: false, source: None }
    }

    /// Creates an error caused by a value that the host threw.
    pub fn caused(message: impl Into<Rc<str>>, cause: Cause) -> Self {
        Self { source: Some(ErrorSource::Host(cause)), ..Self::new(message) }
    }

    /// Creates an error that has this kind if the script does not catch it.
    pub fn of_kind(kind: Kind, message: impl Into<Rc<str>>) -> Self {
        if kind == Kind::Runtime {
            return Self::new(message);
        }
        let message: Rc<str> = message.into();
        Self { source: Some(ErrorSource::script(ScriptError::new(kind, &*message))), ..Self::new(message) }
    }

    /// Creates an error with this message, caused by an error in another thread.
    pub fn of_error(message: impl Into<Rc<str>>, error: ScriptError) -> Self {
        Self { source: Some(ErrorSource::script(error)), ..Self::new(message) }
    }

    /// Passes on the value that another thread threw, unchanged. The value is not a string.
    pub fn of_value(error: ScriptError) -> Self {
        Self { value: Some(error.value.clone()), ..Self::of_error(error.message.clone(), error) }
    }

    /// Passes on a script's error that the host threw. The script gets the value or the message unchanged.
    pub fn passed_on(error: ScriptError, value: Option<LuaValue>) -> Self {
        // A message of the host's own has no place yet.
        let has_place = value.is_some() || !error.frames.is_empty() || error.original.is_some();
        let message: Rc<str> = error.message.as_str().into();
        Self { value, has_place, source: Some(ErrorSource::passed_on(error)), ..Self::new(message) }
    }

    /// Creates an error for one of the host's error objects. Scripts get `value`, whose members they can read.
    pub fn of_host_error(message: impl Into<Rc<str>>, value: LuaValue, cause: Cause) -> Self {
        Self { value: Some(value), has_place: true, ..Self::caused(message, cause) }
    }

    /// Returns true if the thrown value or message must not be prefixed with a place.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.has_place
    }

    /// Returns the value that is thrown instead of the message.
    pub(crate) fn value(&self) -> Option<&LuaValue> {
        self.value.as_ref()
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the value that the script catches, without the place, and the error that the value stands for. The host chose the message,
    /// which may have any length; if there is not enough memory for it, the result is another error.
    #[must_use]
    pub fn into_thrown(self, lua: &Lua) -> (LuaValue, Self) {
        if let Some(value) = &self.value {
            return (value.clone(), self);
        }
        match (&*self.message).into_lua(lua) {
            Ok(text) => (text, self),
            Err(_) => (ffi::not_enough_memory(lua), self.without_memory()),
        }
    }

    /// Replaces an error whose message does not fit into memory. The value that the host threw remains the cause.
    fn without_memory(self) -> Self {
        let cause = self.source.as_ref().and_then(ErrorSource::cause).cloned();
        let error = ScriptError { cause, ..ScriptError::new(Kind::Memory, NOT_ENOUGH_MEMORY) };
        Self::of_error(NOT_ENOUGH_MEMORY, error)
    }

    pub(crate) fn source(&self) -> Option<&ErrorSource> {
        self.source.as_ref()
    }
}

impl From<LuaError> for CallError {
    fn from(error: LuaError) -> Self {
        let (kind, message) = match error {
            LuaError::RuntimeError(message) => (Kind::Runtime, message),
            LuaError::MemoryError(message) => (Kind::Memory, message),
            other => (Kind::Runtime, other.to_string()),
        };
        // The other lines are mlua's traceback, and the script has its own.
        Self::of_kind(kind, message.lines().next().unwrap_or_default())
    }
}
