//! What the page's side of this library puts into the place of what the module would make by itself.

use js_sys::{Function, Map, Object, Promise};
use wasm_bindgen::prelude::*;

use super::options::{function_option, option};

/// The hooks of a VM.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    error: Option<Function>,
    function: Option<Function>,
    value: Option<Function>,
    pending: Option<Map>,
    end: Option<Function>,
}

impl Hooks {
    /// Reads them from the options of a VM.
    ///
    /// # Errors
    /// When one is not what it should be.
    pub fn from_options(options: &JsValue) -> Result<Self, JsValue> {
        Ok(Self {
            error: function_option(options, "makeError")?,
            function: function_option(options, "makeFunction")?,
            value: function_option(options, "makeValue")?,
            pending: option(options, "pending")?.map(JsCast::unchecked_into),
            end: function_option(options, "onEnd")?,
        })
    }

    /// The error object for its message and members.
    #[must_use]
    pub fn error(&self, message: &str, members: &Object) -> JsValue {
        let made = self.error.as_ref().map(|make| make.call2(&JsValue::UNDEFINED, &message.into(), members));
        made.and_then(Result::ok).unwrap_or_else(|| {
            let error = js_sys::Error::new(message);
            error.set_name("LuauError");
            Object::assign(&error, members).into()
        })
    }

    /// The function that the page gets for one that calls a Luau function.
    #[must_use]
    pub fn function(&self, call: Function) -> Function {
        let made = self.function.as_ref().map(|make| make.call1(&JsValue::UNDEFINED, &call));
        made.and_then(Result::ok).and_then(|made| made.dyn_into().ok()).unwrap_or(call)
    }

    /// The object that the page gets for a value that it cannot look into, which `handle` stands for.
    #[must_use]
    pub fn value(&self, handle: JsValue, text: &str) -> Object {
        let made = self.value.as_ref().map(|make| make.call2(&JsValue::UNDEFINED, &handle, &text.into()));
        made.and_then(Result::ok).and_then(|made| made.dyn_into().ok()).unwrap_or_else(|| handle.unchecked_into())
    }

    /// Calls `onEnd` with the error that every later call gets.
    pub fn end(&self, error: &JsValue) {
        if let Some(end) = &self.end {
            // It is this library's own, and does not throw.
            let _ = end.call1(&JsValue::UNDEFINED, error);
        }
    }

    /// A promise, and what settles it. Until then the page's side has both it and the function that rejects it, for the
    /// case that the instance ends.
    pub fn promise(&self) -> (Promise, Deferred) {
        let mut settle = None;
        let promise = Promise::new(&mut |resolve, reject| settle = Some((resolve, reject)));
        // The constructor of a promise calls its argument before it returns.
        let (resolve, reject) = settle.unwrap_or_else(|| (no_function(), no_function()));
        if let Some(pending) = &self.pending {
            pending.set(&reject, &promise);
        }
        (promise, Deferred { resolve, reject, pending: self.pending.clone() })
    }
}

/// Not `Function::default()`, which is `new Function("")`, and so evaluates text: strict pages do not allow that.
fn no_function() -> Function {
    JsValue::UNDEFINED.unchecked_into()
}

/// A promise that is not settled.
#[derive(Debug)]
#[must_use = "a promise that is never settled keeps whoever waits for it waiting"]
pub struct Deferred {
    resolve: Function,
    reject: Function,
    pending: Option<Map>,
}

impl Deferred {
    /// Settles it. Whoever waits for it learns of it later, in a microtask.
    pub fn settle(self, outcome: Result<JsValue, JsValue>) {
        if let Some(pending) = &self.pending {
            pending.delete(&self.reject);
        }
        // Neither of the functions throws.
        let _ = match outcome {
            Ok(value) => self.resolve.call1(&JsValue::UNDEFINED, &value),
            Err(error) => self.reject.call1(&JsValue::UNDEFINED, &error),
        };
    }
}
