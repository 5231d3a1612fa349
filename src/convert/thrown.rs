//! Converts errors that the host throws to script errors.

use js_sys::{Array, Object, Reflect};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use crate::js::values::{caused, message_of};
use luau_runtime::call_error::CallError;
use luau_runtime::error::{Cause, MAX_FRAMES};
use luau_runtime::error::{Frame, Kind, ScriptError, SyntaxError};

/// The members of a host error that scripts can read.
pub(super) struct HostError {
    pub(super) name: String,
    pub(super) message: String,
    pub(super) code: Option<Code>,
}

pub(super) enum Code {
    Text(String),
    Number(f64),
}

/// The names of JS's built-in errors. They tell a script nothing about the cause.
const BUILT_IN_NAMES: [&str; 8] =
    ["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

/// The maximum length of a thrown string that is kept, in bytes. Longer ones would take too much of the script's memory.
const MAX_KEPT_BYTES: usize = 4_096;

/// The maximum number of elements that are read from an error's lists.
const MAX_ELEMENTS: u32 = 100;

impl HostError {
    /// Reads the members of a host error. Returns none for any other value.
    pub(super) fn of(value: &JsValue) -> Option<Self> {
        if !value.is_instance_of::<js_sys::Error>() {
            return None;
        }
        let code = member(value, "code").and_then(|code| match code.as_string() {
            Some(text) => Some(Code::Text(text)),
            None => code.as_f64().map(Code::Number),
        });
        let name = member(value, "name").and_then(|name| name.as_string());
        Some(Self { name: name.unwrap_or_else(|| "Error".to_owned()), message: message_of(value), code })
    }

    /// Returns the size of the texts, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let code = if let Some(Code::Text(text)) = &self.code { text.len() } else { 0 };
        self.name.len() + self.message.len() + code
    }

    fn has_details(&self) -> bool {
        self.code.is_some() || !BUILT_IN_NAMES.contains(&self.name.as_str())
    }
}

/// Returns a member of an object, or none if a getter or a `Proxy` throws.
fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok()
}

impl Converter {
    /// Creates the error for a script that called a host function that threw.
    pub(super) fn call_error_of(&self, lua: &Lua, thrown: JsValue) -> CallError {
        if let Some(members) = self.0.hooks.members_of(&thrown) {
            return self.passed_on(lua, &thrown, &members);
        }
        let message = message_of(&thrown);
        let has_details = HostError::of(&thrown).is_some_and(|error| error.has_details());
        // If there is not enough memory for the object, the message must do.
        match has_details.then(|| self.stand_in_of_object(lua, &thrown)) {
            Some(Ok(value)) => CallError::of_host_error(message, value, Cause::new(thrown)),
            _ => caused(message, thrown),
        }
    }

    /// Creates the error for a thrown `LuauError` with these `members`. It came from a script of this or another VM, or from the host.
    fn passed_on(&self, lua: &Lua, thrown: &JsValue, members: &JsValue) -> CallError {
        let kind = member(members, "kind").and_then(|kind| Kind::from_name(&kind.as_string()?));
        let known = self.0.identities.thrown(thrown.unchecked_ref::<Object>());
        let value = known.or_else(|| {
            let value = member(members, "value").filter(|value| !value.is_undefined())?;
            self.to_luau_within_limits(lua, &value).ok()
        });
        let count = list(members, "frames").len();
        // An error with the maximum number of frames is passed on as the same object. Reading its frames at every level would be the
        // slowest part. So if a script creates another message from it, that error has only the script's own frames.
        let is_complete = count >= MAX_FRAMES;
        let frames: Vec<Frame> = if is_complete {
            Vec::new()
        } else {
            list(members, "frames").filter_map(|frame| frame_of(&frame)).collect()
        };
        let cause = match member(members, "cause") {
            Some(cause) if !cause.is_undefined() => Some(Cause::new(cause)),
            // The host created the error.
            _ if count == 0 => Some(Cause::new(thrown.clone())),
            _ => None,
        };
        let error = ScriptError {
            frames,
            cause,
            syntax: list(members, "errors").filter_map(|error| syntax_error_of(&error)).collect::<Vec<_>>().into(),
            original: is_complete.then(|| Cause::new(thrown.clone())),
            ..ScriptError::new(kind.unwrap_or(Kind::Runtime), message_of(thrown))
        };
        CallError::passed_on(error, value.filter(|value| !value.is_nil()))
    }

    /// Keeps the thrown value of an error that the host gets, unless the value can be restored from the error's members.
    pub(super) fn remember_thrown(&self, error: &JsValue, value: &LuaValue) {
        let is_plain = match value {
            LuaValue::Nil | LuaValue::Boolean(_) | LuaValue::Integer(_) | LuaValue::Number(_) => true,
            LuaValue::String(text) => text.as_bytes().len() > MAX_KEPT_BYTES || text.to_str().is_ok(),
            _ => false,
        };
        if !is_plain && error.is_object() {
            self.set_thrown(error.unchecked_ref::<Object>(), value.clone());
        }
    }
}

/// Returns the first elements of an array member.
fn list(object: &JsValue, name: &str) -> impl ExactSizeIterator<Item = JsValue> {
    let list: Array = member(object, name).and_then(|list| list.dyn_into().ok()).unwrap_or_default();
    (0..list.length().min(MAX_ELEMENTS)).map(move |index| list.get(index))
}

fn syntax_error_of(error: &JsValue) -> Option<SyntaxError> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "valid places fit, and others do not matter"
    )]
    let place = |name: &str| Some(member(error, name)?.as_f64()? as u32);
    Some(SyntaxError {
        message: member(error, "message")?.as_string()?,
        line: place("line")?,
        column: place("column")?,
        end_line: place("endLine")?,
        end_column: place("endColumn")?,
    })
}

fn frame_of(frame: &JsValue) -> Option<Frame> {
    let chunk_name = member(frame, "chunkName")?.as_string()?;
    let line = member(frame, "line")?.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "valid lines fit, and others do not matter")]
    let line = line as i32;
    Frame::new(Some(chunk_name), line, member(frame, "name").and_then(|name| name.as_string()))
}
