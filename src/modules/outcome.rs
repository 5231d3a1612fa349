//! The outcomes of loading a module, for the threads that wait for it.

use mlua::prelude::*;

use crate::bind::Answer;
use crate::convert::page_failure;
use crate::error::ScriptError;
use crate::failure::Failure;
use crate::host::modules::{Lookup, ModuleSource};
use crate::host::values::{Thrown, message_of};

pub(super) fn now(value: LuaValue) -> Answer {
    Answer::Now(LuaMultiValue::from_vec(vec![value]))
}

/// Asks the host for a module.
pub(super) fn look_up(source: &ModuleSource, path: &str) -> Result<Lookup, Failure> {
    let lookup = source.look_up(path).map_err(|thrown| not_loaded(path, thrown))?;
    if matches!(lookup, Lookup::Now(None)) { Err(missing(path)) } else { Ok(lookup) }
}

/// Returns the failure for a host that throws instead of returning a module.
pub(super) fn not_loaded(path: &str, thrown: Thrown) -> Failure {
    page_failure(format!("cannot load module \"{path}\": {}", message_of(&thrown)), thrown)
}

pub(super) fn missing(path: &str) -> Failure {
    Failure::new(format!("module not found: \"{path}\""))
}

/// Returns the failure for the threads that wait for a module that failed. A text gets the module's name in front; any other value stays as it was
/// thrown.
pub(super) fn failed(path: &str, error: ScriptError) -> Failure {
    match error.value {
        LuaValue::Nil | LuaValue::String(_) | LuaValue::Error(_) => {
            Failure::of_error(format!("cannot load module \"{path}\": {}", error.message), error)
        }
        _ => Failure::of_value(error),
    }
}

pub(super) fn result_of(path: &str, outcome: Result<LuaMultiValue, ScriptError>) -> Result<LuaValue, Failure> {
    let mut results = outcome.map_err(|error| failed(path, error))?;
    match (results.pop_front(), results.is_empty()) {
        (Some(result), true) => Ok(result),
        (first, _) => {
            let count = results.len() + usize::from(first.is_some());
            Err(Failure::new(format!("module \"{path}\" must return exactly one value, and it returned {count}")))
        }
    }
}
