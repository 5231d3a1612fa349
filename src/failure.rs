//! Why a call failed, in the words that the script will read.

use std::rc::Rc;

use mlua::prelude::*;

use crate::error::{Kind, NOT_ENOUGH_MEMORY, ScriptError};
use crate::origin::{Cause, Origin};
use crate::raw;

/// The failure of a function of ours. The place in the script is put before it by the Luau code around the function.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Shared, since a script can have thousands of threads wait for a module that fails with a long text.
    message: Rc<str>,
    /// What is thrown instead of the text, and without a place, if there is something.
    value: Option<LuaValue>,
    /// True if the text has its place already.
    has_place: bool,
    /// Where it comes from, if there is more to say of that than the text does.
    origin: Option<Origin>,
}

impl Failure {
    /// A failure with this text.
    pub fn new(message: impl Into<Rc<str>>) -> Self {
        Self { message: message.into(), value: None, has_place: false, origin: None }
    }

    /// A failure with this text, because of what the page threw.
    pub fn caused(message: impl Into<Rc<str>>, cause: Cause) -> Self {
        Self { origin: Some(Origin::Page(cause)), ..Self::new(message) }
    }

    /// A failure with this text, and with this kind if it gets out of the script.
    pub fn of_kind(kind: Kind, message: impl Into<Rc<str>>) -> Self {
        if kind == Kind::Runtime {
            return Self::new(message);
        }
        let message: Rc<str> = message.into();
        Self { origin: Some(Origin::script(ScriptError::plain(kind, &message))), ..Self::new(message) }
    }

    /// A failure with this text, because of an error in another thread.
    pub fn of_error(message: impl Into<Rc<str>>, error: ScriptError) -> Self {
        Self { origin: Some(Origin::script(error)), ..Self::new(message) }
    }

    /// An error in another thread that is thrown anew as it was, since it is no text.
    pub fn of_value(error: ScriptError) -> Self {
        Self { value: Some(error.value.clone()), ..Self::of_error(error.message.clone(), error) }
    }

    /// The error of a script that the host throws. The script gets its value or its text, as they were.
    pub fn passed_on(error: ScriptError, value: Option<LuaValue>) -> Self {
        // A text of the host's own has no place yet.
        let has_place = value.is_some() || !error.frames.is_empty() || error.original.is_some();
        let message: Rc<str> = error.message.as_str().into();
        Self { value, has_place, origin: Some(Origin::passed_on(error)), ..Self::new(message) }
    }

    /// An error of the host whose members scripts can read: `value` stands for it.
    pub fn of_host_error(message: impl Into<Rc<str>>, value: LuaValue, cause: Cause) -> Self {
        Self { value: Some(value), has_place: true, ..Self::caused(message, cause) }
    }

    /// Returns true if no place is to be put before what is thrown.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.has_place
    }

    /// The value that is thrown instead of the text.
    pub(crate) fn value(&self) -> Option<&LuaValue> {
        self.value.as_ref()
    }

    /// The text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the value that the script catches, except for the place, and the failure that this value stands for: another one if there is
    /// no memory for the text. The host chose it, so it may have any length.
    pub(crate) fn into_thrown(self, lua: &Lua) -> (LuaValue, Self) {
        if let Some(value) = &self.value {
            return (value.clone(), self);
        }
        match (&*self.message).into_lua(lua) {
            Ok(text) => (text, self),
            Err(_) => (raw::not_enough_memory(lua), self.without_memory()),
        }
    }

    /// Returns the failure in place of one for whose text there is no memory. What the host threw is still the cause.
    fn without_memory(self) -> Self {
        let cause = self.origin.as_ref().and_then(Origin::cause).cloned();
        let error = ScriptError { cause, ..ScriptError::plain(Kind::Memory, NOT_ENOUGH_MEMORY) };
        Self::of_error(NOT_ENOUGH_MEMORY, error)
    }

    /// Where it comes from.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }
}

impl From<LuaError> for Failure {
    fn from(error: LuaError) -> Self {
        let (kind, message) = match error {
            LuaError::RuntimeError(message) => (Kind::Runtime, message),
            LuaError::MemoryError(message) => (Kind::Memory, message),
            other => (Kind::Runtime, other.to_string()),
        };
        // The first line: what follows is mlua's traceback, and the script has its own.
        Self::of_kind(kind, message.lines().next().unwrap_or_default())
    }
}
