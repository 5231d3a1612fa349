//! Converts errors to JS.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

use crate::js::hooks::Hooks;
use crate::js::values::{define, descriptor};
use luau_runtime::error::{Frame, ScriptError, SyntaxError};

/// Creates the JS error for an error that occurred before there was a VM.
#[must_use]
pub(crate) fn early_error_to_js(hooks: &Hooks, error: &ScriptError) -> JsValue {
    hooks.error(&error.message, &members_of(error, &JsValue::UNDEFINED, None))
}

pub(super) fn members_of(error: &ScriptError, value: &JsValue, cause: Option<&JsValue>) -> Object {
    let first = error.frames.first();
    let frames: Array = error.frames.iter().map(frame_to_js).collect();
    let members = object([
        ("kind", error.kind.name().into()),
        ("chunkName", first.map_or(JsValue::UNDEFINED, |frame| (&frame.chunk_name).into())),
        ("line", first.map_or(JsValue::UNDEFINED, |frame| frame.line.into())),
        ("errors", error.syntax.iter().map(syntax_error_to_js).collect::<Array>().into()),
        ("frames", frames.into()),
        ("traceback", error.traceback().into()),
        ("value", value.clone()),
    ]);
    if let Some(cause) = cause {
        define(&members, &"cause".into(), cause, &descriptor());
    }
    members
}

fn syntax_error_to_js(error: &SyntaxError) -> JsValue {
    object([
        ("message", (&error.message).into()),
        ("line", error.line.into()),
        ("column", error.column.into()),
        ("endLine", error.end_line.into()),
        ("endColumn", error.end_column.into()),
    ])
    .into()
}

fn frame_to_js(frame: &Frame) -> JsValue {
    object([
        ("chunkName", (&frame.chunk_name).into()),
        ("line", frame.line.into()),
        ("name", frame.name.as_ref().map_or(JsValue::UNDEFINED, Into::into)),
    ])
    .into()
}

fn object<const N: usize>(members: [(&str, JsValue); N]) -> Object {
    let (object, descriptor) = (Object::new(), descriptor());
    for (name, value) in members {
        define(&object, &name.into(), &value, &descriptor);
    }
    object
}
