//! What the page's side of this library puts into the place of what the module would make by itself.

use std::rc::Rc;

use js_sys::{Function, Map, Object, Promise};
use wasm_bindgen::prelude::*;

use super::options::{function_option, option};

/// The hooks of a VM. Cloning gives another handle to the same.
#[derive(Clone, Debug, Default)]
pub struct Hooks(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    error: Option<Function>,
    read_error: Option<Function>,
    function: Option<Function>,
    value: Option<Function>,
    pending: Option<Map>,
    call_rejected: Option<Function>,
    end: Option<Function>,
}

impl Hooks {
    /// Reads them from the options of a VM.
    ///
    /// # Errors
    /// When one is not what it should be.
    pub fn from_options(options: &JsValue) -> Result<Self, JsValue> {
        Ok(Self(Rc::new(Inner {
            error: function_option(options, "makeError")?,
            read_error: function_option(options, "readError")?,
            function: function_option(options, "makeFunction")?,
            value: function_option(options, "makeValue")?,
            pending: option(options, "pending")?.map(JsCast::unchecked_into),
            call_rejected: function_option(options, "onCallRejected")?,
            end: function_option(options, "onEnd")?,
        })))
    }

    /// The error object for its message and members.
    #[must_use]
    pub fn error(&self, message: &str, members: &Object) -> JsValue {
        let made = self.0.error.as_ref().map(|make| make.call2(&JsValue::UNDEFINED, &message.into(), members));
        made.and_then(Result::ok).unwrap_or_else(|| {
            let error = js_sys::Error::new(message);
            error.set_name("LuauError");
            Object::assign(&error, members).into()
        })
    }

    /// The members of an error that [`error`](Self::error) made, here or elsewhere; none for anything else that the host threw.
    #[must_use]
    pub fn members_of(&self, thrown: &JsValue) -> Option<JsValue> {
        let read = self.0.read_error.as_ref()?;
        // It is this library's own, and does not throw.
        read.call1(&JsValue::UNDEFINED, thrown).ok().filter(JsValue::is_object)
    }

    /// The function that the page gets for one that calls a Luau function.
    #[must_use]
    pub fn function(&self, call: Function) -> Function {
        let made = self.0.function.as_ref().map(|make| make.call1(&JsValue::UNDEFINED, &call));
        made.and_then(Result::ok).and_then(|made| made.dyn_into().ok()).unwrap_or(call)
    }

    /// The object that the page gets for a value that it cannot look into, which `handle` stands for.
    #[must_use]
    pub fn value(&self, handle: JsValue, text: &str) -> Object {
        let made = self.0.value.as_ref().map(|make| make.call2(&JsValue::UNDEFINED, &handle, &text.into()));
        made.and_then(Result::ok).and_then(|made| made.dyn_into().ok()).unwrap_or_else(|| handle.unchecked_into())
    }

    /// Calls `onEnd` with the error that every later call gets.
    pub fn end(&self, error: &JsValue) {
        if let Some(end) = &self.0.end {
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
        if let Some(pending) = &self.0.pending {
            pending.set(&reject, &promise);
        }
        (promise, Deferred { resolve, reject, hooks: self.clone() })
    }

    /// Returns the promise of a call that fails before its thread begins.
    pub fn rejected_call(&self, error: &JsValue) -> Promise {
        let promise = Promise::reject(error);
        self.note_call_rejected(&promise, error);
        promise
    }

    fn note_call_rejected(&self, promise: &JsValue, error: &JsValue) {
        if let Some(call_rejected) = &self.0.call_rejected {
            // It is this library's own, and does not throw.
            let _ = call_rejected.call2(&JsValue::UNDEFINED, promise, error);
        }
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
    hooks: Hooks,
}

impl Deferred {
    /// Settles the promise of a call of a script's function.
    pub fn settle_call(self, outcome: Result<JsValue, JsValue>) {
        if let (Err(error), Some(pending)) = (&outcome, &self.hooks.0.pending) {
            self.hooks.note_call_rejected(&pending.get(&self.reject), error);
        }
        self.settle(outcome);
    }

    /// Settles it. Whoever waits for it learns of it later, in a microtask.
    pub fn settle(self, outcome: Result<JsValue, JsValue>) {
        if let Some(pending) = &self.hooks.0.pending {
            pending.delete(&self.reject);
        }
        // Neither of the functions throws.
        let _ = match outcome {
            Ok(value) => self.resolve.call1(&JsValue::UNDEFINED, &value),
            Err(error) => self.reject.call1(&JsValue::UNDEFINED, &error),
        };
    }
}
