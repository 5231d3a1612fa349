//! Writes the output of a VM.

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = console, js_name = log)]
    fn console_log(text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = console, js_name = warn)]
    fn console_warn(text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = console, js_name = error)]
    fn console_error(value: &JsValue) -> Result<(), JsValue>;
}

/// A sink for output: the host's function, or the console if the host provides none.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    function: Option<Function>,
    console: Console,
}

/// The console function that replaces a missing sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Console {
    /// `console.log`
    Log,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

impl Sink {
    pub(crate) fn new(function: Option<Function>, console: Console) -> Self {
        Self { function, console }
    }

    /// Writes a value. `more` is a second argument for the host's function.
    ///
    /// # Errors
    /// If the host's function throws. The error is the thrown value.
    pub(crate) fn put(&self, value: &JsValue, more: &JsValue) -> Result<(), JsValue> {
        if let Some(function) = &self.function {
            return function.call2(&JsValue::UNDEFINED, value, more).map(drop);
        }
        let text = || value.as_string().unwrap_or_default();
        match self.console {
            Console::Log => console_log(&text()),
            Console::Warn => console_warn(&text()),
            Console::Error => console_error(value),
        }
    }
}

/// Reports on the console that one of the host's functions failed, along with its argument.
pub(crate) fn log_failure(about: &JsValue, message: &str) {
    // If this fails too, there is no other place to report it.
    let _ = console_error(about);
    let _ = console_error(&message.into());
}
