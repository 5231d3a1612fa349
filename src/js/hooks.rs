//! The hooks with which the JS side of this library replaces the module's own behavior.

use std::rc::Rc;

use js_sys::{Function, Map, Object, Promise};
use wasm_bindgen::prelude::*;

/// The hooks of a VM. Cloning creates another handle to the same hooks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks(Rc<Functions>);

/// The functions of js/vm that a VM calls; see `VmOptions` in js/glue.d.ts.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    pub(crate) make_error: Option<Function>,
    pub(crate) read_error: Option<Function>,
    pub(crate) make_function: Option<Function>,
    pub(crate) make_value: Option<Function>,
    pub(crate) pending: Option<Map>,
    pub(crate) on_call_rejected: Option<Function>,
    pub(crate) on_end: Option<Function>,
}

impl Hooks {
    pub(crate) fn new(functions: Functions) -> Self {
        Self(Rc::new(functions))
    }

    /// Creates an error object with this message and these members.
    #[must_use]
    pub(crate) fn error(&self, message: &str, members: &Object) -> JsValue {
        let made = self.0.make_error.as_ref().map(|make| make.call2(&JsValue::UNDEFINED, &message.into(), members));
        made.and_then(Result::ok).unwrap_or_else(|| {
            let error = js_sys::Error::new(message);
            error.set_name("LuauError");
            Object::assign(&error, members).into()
        })
    }

    /// Returns the members of an error created by [`error`](Self::error), here or elsewhere, or none for any other value that the host
    /// threw.
    #[must_use]
    pub(crate) fn members_of(&self, thrown: &JsValue) -> Option<JsValue> {
        let read = self.0.read_error.as_ref()?;
        // This library's own function does not throw.
        read.call1(&JsValue::UNDEFINED, thrown).ok().filter(JsValue::is_object)
    }

    /// Returns the function that the host gets for a function that calls a Luau function.
    #[must_use]
    pub(crate) fn function(&self, call: Function) -> Function {
        let made = self.0.make_function.as_ref().map(|make| make.call1(&JsValue::UNDEFINED, &call));
        made.and_then(Result::ok).and_then(|made| made.dyn_into().ok()).unwrap_or(call)
    }

    /// Returns the object that the host gets for the opaque value behind `handle`.
    #[must_use]
    pub(crate) fn value(&self, handle: JsValue, text: &str) -> Object {
        let made = self.0.make_value.as_ref().map(|make| make.call2(&JsValue::UNDEFINED, &handle, &text.into()));
        made.and_then(Result::ok).and_then(|made| made.dyn_into().ok()).unwrap_or_else(|| handle.unchecked_into())
    }

    /// Calls `onEnd` with the error that every later call receives.
    pub(crate) fn end(&self, error: &JsValue) {
        if let Some(end) = &self.0.on_end {
            // This library's own function does not throw.
            let _ = end.call1(&JsValue::UNDEFINED, error);
        }
    }

    /// Creates a promise, and the value that settles it. Until then the JS side keeps the promise and the function that rejects it, in case
    /// the instance ends.
    pub(crate) fn promise(&self) -> (Promise, Deferred) {
        let mut settle = None;
        let promise = Promise::new(&mut |resolve, reject| settle = Some((resolve, reject)));
        // The constructor of a promise calls its argument before it returns.
        let (resolve, reject) = settle.unwrap_or_else(|| (no_function(), no_function()));
        if let Some(pending) = &self.0.pending {
            pending.set(&reject, &promise);
        }
        (promise, Deferred { resolve, reject, hooks: self.clone() })
    }

    /// Returns the promise of a call that fails before its thread starts.
    pub(crate) fn rejected_call(&self, error: &JsValue) -> Promise {
        let promise = Promise::reject(error);
        self.note_call_rejected(&promise, error);
        promise
    }

    fn note_call_rejected(&self, promise: &JsValue, error: &JsValue) {
        if let Some(call_rejected) = &self.0.on_call_rejected {
            // This library's own function does not throw.
            let _ = call_rejected.call2(&JsValue::UNDEFINED, promise, error);
        }
    }
}

/// Returns a placeholder. `Function::default()` is `new Function("")`, which evaluates text, and strict pages forbid that.
fn no_function() -> Function {
    JsValue::UNDEFINED.unchecked_into()
}

/// A promise that has not been settled.
#[derive(Debug)]
#[must_use = "if a promise is never settled, the code that awaits it never continues"]
pub(crate) struct Deferred {
    resolve: Function,
    reject: Function,
    hooks: Hooks,
}

impl Deferred {
    /// Settles the promise of a call to a script function.
    pub(crate) fn settle_call(self, outcome: Result<JsValue, JsValue>) {
        if let (Err(error), Some(pending)) = (&outcome, &self.hooks.0.pending) {
            self.hooks.note_call_rejected(&pending.get(&self.reject), error);
        }
        self.settle(outcome);
    }

    /// Settles the promise. The code that awaits it continues later, in a microtask.
    pub(crate) fn settle(self, outcome: Result<JsValue, JsValue>) {
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
