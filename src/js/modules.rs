//! The host's provider of module sources.

use js_sys::{Function, Uint8Array};
use luau_runtime::call_error::CallError;
use luau_runtime::modules::{self, Lookup, OnFound, Source};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::values::{self, caused, message_of};

/// A host function that takes a path and returns a string, bytes, `undefined` or `null`, or a promise of one of these.
#[derive(Clone, Debug)]
pub(crate) struct ModuleSource(Function);

impl ModuleSource {
    /// Wraps the function.
    #[must_use]
    pub(crate) fn new(function: Function) -> Self {
        Self(function)
    }
}

impl modules::ModuleSource for ModuleSource {
    fn look_up(&self, path: &str, found: OnFound) -> Result<Lookup, CallError> {
        let look_up = || {
            let answer = self.0.call1(&JsValue::UNDEFINED, &path.into())?;
            values::promise(&answer).map(|promise| (promise, answer))
        };
        let failed = |path: &str, thrown: JsValue| caused(modules::load_error(path, &message_of(&thrown)), thrown);
        let (promise, answer) = look_up().map_err(|thrown| failed(path, thrown))?;
        let Some(promise) = promise else {
            return source(&answer).map(Lookup::Now).map_err(|thrown| failed(path, thrown));
        };
        let path = path.to_owned();
        spawn_local(async move {
            let answer = JsFuture::from(promise).await;
            found(answer.and_then(|answer| source(&answer)).map_err(|thrown| failed(&path, thrown)));
        });
        Ok(Lookup::Later)
    }
}

fn source(found: &JsValue) -> Result<Source, JsValue> {
    if found.is_undefined() || found.is_null() {
        return Ok(None);
    }
    if let Some(text) = found.as_string() {
        return Ok(Some(text.into_bytes()));
    }
    if let Some(bytes) = found.dyn_ref::<Uint8Array>() {
        return Ok(Some(bytes.to_vec()));
    }
    // js/modules.ts has already refused anything else, with an error for the host.
    Err(js_sys::TypeError::new("a module source is neither a string nor a Uint8Array").into())
}
