//! Converts errors that the host throws into errors of a script.

use js_sys::{Array, Object, Reflect};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::{Converter, page_failure};
use crate::error::{Frame, Kind, ScriptError, SyntaxError};
use crate::failure::Failure;
use crate::host::values::message_of;
use crate::origin::{Cause, MAX_FRAMES};

/// The members of an error of the host that scripts can read.
pub(super) struct HostError {
    pub(super) name: String,
    pub(super) message: String,
    pub(super) code: Option<Code>,
}

pub(super) enum Code {
    Text(String),
    Number(f64),
}

/// The names of JS's own errors. They tell a script nothing about what went wrong.
const OWN_NAMES: [&str; 8] =
    ["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

/// The length up to which a string that was thrown is kept, in bytes. Longer ones would keep their memory from the script.
const MAX_KEPT: usize = 4_096;

/// The number of elements that are read of the lists of an error.
const MAX_ELEMENTS: u32 = 100;

impl HostError {
    /// Reads the members of an error of the host; none of anything else.
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

    fn says_more_than_its_message(&self) -> bool {
        self.code.is_some() || !OWN_NAMES.contains(&self.name.as_str())
    }
}

/// Returns a member of an object, or none if a getter or a `Proxy` throws.
fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok()
}

impl Converter {
    /// The failure of a script that called a function of the host, which threw.
    pub(super) fn failure_of(&self, lua: &Lua, thrown: JsValue) -> Failure {
        if let Some(members) = self.0.hooks.members_of(&thrown) {
            return self.passed_on(lua, &thrown, &members);
        }
        let message = message_of(&thrown);
        let says_more = HostError::of(&thrown).is_some_and(|error| error.says_more_than_its_message());
        // Without memory for the object, the text does.
        match says_more.then(|| self.stand_in_of_object(lua, &thrown)) {
            Some(Ok(value)) => Failure::of_host_error(message, value, Cause::new(thrown)),
            _ => page_failure(message, thrown),
        }
    }

    /// The failure for a `LuauError` with these `members`: one that a script has raised, of this VM or another one, or the host.
    fn passed_on(&self, lua: &Lua, thrown: &JsValue, members: &JsValue) -> Failure {
        let kind = member(members, "kind").and_then(|kind| Kind::from_name(&kind.as_string()?));
        let known = self.0.identities.thrown(thrown.unchecked_ref::<Object>());
        let value = known.or_else(|| {
            let value = member(members, "value").filter(|value| !value.is_undefined())?;
            self.to_luau_within_limits(lua, &value).ok()
        });
        let count = list(members, "frames").len();
        // An error with all the frames that it can have passes on as the same object. To read them at every level would take longer than
        // all else, so a script that makes another text of it has only its own.
        let is_complete = count >= MAX_FRAMES;
        let frames: Vec<Frame> = if is_complete {
            Vec::new()
        } else {
            list(members, "frames").filter_map(|frame| frame_of(&frame)).collect()
        };
        let cause = match member(members, "cause") {
            Some(cause) if !cause.is_undefined() => Some(Cause::new(cause)),
            // The host made it.
            _ if count == 0 => Some(Cause::new(thrown.clone())),
            _ => None,
        };
        let error = ScriptError {
            frames,
            cause,
            syntax: list(members, "errors").filter_map(|error| syntax_error_of(&error)).collect::<Vec<_>>().into(),
            original: is_complete.then(|| Cause::new(thrown.clone())),
            ..ScriptError::plain(kind.unwrap_or(Kind::Runtime), &message_of(thrown))
        };
        Failure::passed_on(error, value.filter(|value| !value.is_nil()))
    }

    /// Keeps the value of an error that the host gets, unless what the host sees of it says all.
    pub(super) fn remember_thrown(&self, error: &JsValue, value: &LuaValue) {
        let is_plain = match value {
            LuaValue::Nil | LuaValue::Boolean(_) | LuaValue::Integer(_) | LuaValue::Number(_) => true,
            LuaValue::String(text) => text.as_bytes().len() > MAX_KEPT || text.to_str().is_ok(),
            _ => false,
        };
        if !is_plain && error.is_object() {
            self.set_thrown(error.unchecked_ref::<Object>(), value.clone());
        }
    }
}

/// The first elements of an array.
fn list(object: &JsValue, name: &str) -> impl ExactSizeIterator<Item = JsValue> {
    let list: Array = member(object, name).and_then(|list| list.dyn_into().ok()).unwrap_or_default();
    (0..list.length().min(MAX_ELEMENTS)).map(move |index| list.get(index))
}

fn syntax_error_of(error: &JsValue) -> Option<SyntaxError> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places fit, and others are none")]
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
    #[expect(clippy::cast_possible_truncation, reason = "lines fit, and others are none")]
    let line = line as i32;
    Frame::new(Some(chunk_name), line, member(frame, "name").and_then(|name| name.as_string()))
}
