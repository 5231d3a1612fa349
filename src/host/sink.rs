//! Where the VM puts out what it has to tell.

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::options::function_option;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = console, js_name = log)]
    fn console_log(text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = console, js_name = warn)]
    fn console_warn(text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = console, js_name = error)]
    fn console_error(value: &JsValue) -> Result<(), JsValue>;
}

/// A function of the page that takes what the VM puts out, or the console where the page gave none.
#[derive(Clone, Debug)]
pub struct Sink {
    function: Option<Function>,
    console: Console,
}

/// The console's function that stands in for a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// `console.log`
    Log,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

impl Sink {
    /// The sink that `options` names, or the console.
    ///
    /// # Errors
    /// When `options` has something there that is no function.
    pub fn from_options(options: &JsValue, name: &str, console: Console) -> Result<Self, JsValue> {
        Ok(Self { function: function_option(options, name)?, console })
    }

    /// Puts out a value; `more` is a second argument for the page's function, if it wants one.
    ///
    /// # Errors
    /// What the page's function threw.
    pub fn put(&self, value: &JsValue, more: &JsValue) -> Result<(), JsValue> {
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

/// Tells the developer of the page that one of its own functions failed, and what it was given.
pub fn complain(about: &JsValue, message: &str) {
    // There is nobody else to tell.
    let _ = console_error(about);
    let _ = console_error(&message.into());
}
