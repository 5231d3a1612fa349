//! Reports errors, warnings and the outcomes of runs to the host.

use std::cell::OnceCell;
use std::rc::Rc;

use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::DEFAULT_CHUNK_NAME;
use crate::convert::{Converter, WeakConverter};
use crate::js::sink::{Sink, log_failure};
use crate::js::values::message_of;
use luau_runtime::error::ScriptError;

/// A reporter for errors that nothing else receives.
#[derive(Clone)]
pub(super) struct Reporter(Rc<(Sink, OnceCell<WeakConverter>)>);

impl Reporter {
    pub(super) fn new(sink: Sink) -> Self {
        Self(Rc::new((sink, OnceCell::new())))
    }

    pub(super) fn set_converter(&self, converter: &Converter) {
        // The creator sets it only once.
        let _ = self.0.1.set(converter.downgrade());
    }

    pub(super) fn report(&self, error: &ScriptError) {
        let Some(converter) = self.0.1.get().and_then(WeakConverter::upgrade) else { return };
        let error = converter.error_to_js(error);
        if let Err(thrown) = self.0.0.put(&error, &JsValue::UNDEFINED) {
            // The host's own function failed, so the console shows the error.
            log_failure(&error, &format!("(the host's 'onError' failed: {})", message_of(&thrown)));
        }
    }
}

pub(super) fn warn(sink: &Sink, text: &str) {
    if let Err(thrown) = sink.put(&text.into(), &JsValue::UNDEFINED) {
        log_failure(&text.into(), &format!("(the host's 'warn' failed: {})", message_of(&thrown)));
    }
}

pub(super) fn outcome_to_js(
    converter: &Converter,
    outcome: Result<LuaMultiValue, ScriptError>,
) -> Result<JsValue, JsValue> {
    let results = outcome.and_then(|results| {
        converter.to_js_array(results.iter()).map_err(|error| ScriptError::from_lua(&error, DEFAULT_CHUNK_NAME))
    });
    results.map(JsValue::from).map_err(|error| converter.thrown_to_js(&error))
}
