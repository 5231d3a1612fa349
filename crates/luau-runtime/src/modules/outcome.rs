//! The outcomes of loading a module, for the threads that wait for it.

use mlua::prelude::*;

use crate::call_error::CallError;
use crate::error::ScriptError;
use crate::function::Answer;

pub(super) fn ready(value: LuaValue) -> Answer {
    Answer::Ready(LuaMultiValue::from_vec(vec![value]))
}

/// Returns the error message for a module that cannot be loaded.
#[must_use]
pub fn load_error(path: &str, reason: &str) -> String {
    format!("cannot load module \"{path}\": {reason}")
}

pub(super) fn missing(path: &str) -> CallError {
    CallError::new(format!("module not found: \"{path}\""))
}

/// Creates the error for the threads that wait for a failed module. A string gets the module's name as a prefix; any other value is passed
/// on unchanged.
pub(super) fn failed(path: &str, error: ScriptError) -> CallError {
    match error.value {
        LuaValue::Nil | LuaValue::String(_) | LuaValue::Error(_) => {
            CallError::of_error(load_error(path, &error.message), error)
        }
        _ => CallError::of_value(error),
    }
}

pub(super) fn result_of(path: &str, outcome: Result<LuaMultiValue, ScriptError>) -> Result<LuaValue, CallError> {
    let mut results = outcome.map_err(|error| failed(path, error))?;
    match (results.pop_front(), results.is_empty()) {
        (Some(result), true) => Ok(result),
        (first, _) => {
            let count = results.len() + usize::from(first.is_some());
            Err(CallError::new(format!("module \"{path}\" must return exactly one value, but returned {count}")))
        }
    }
}
