//! JS values as Luau values, and Luau values and errors as JS values.
//!
//! | JS | Luau | back in JS |
//! |---|---|---|
//! | `undefined`, `null` | nil | `undefined` |
//! | `jsonNull` of the package | `json.null` | `null` |
//! | boolean, number, a safe `bigint` | boolean, number | the same, of a `bigint` the number |
//! | another `bigint` of 64 bits | integer | `bigint` |
//! | string | string | string; refused when it is not UTF-8 |
//! | `ArrayBuffer`, view | buffer, a copy | `Uint8Array`, a copy |
//! | array, plain object, `Map` | table | array when the keys are 1 to n, plain object when all are strings, otherwise `Map` |
//! | function | function | the same function |
//! | `Error` | userdata with `name`, `message` and `code` | the same object |
//! | any other object | userdata | the same object |
//! | a function that returns promises | function | the same function |
//! | `LuauValue` | thread, userdata of ours | the same `LuauValue` |
//!
//! Tables, arrays, objects and maps that stand in several places, or in themselves, stay so, at any depth: both
//! directions go through a list of what is still to be filled, not down a stack.

mod errors;
mod functions;
mod identity;
mod inward;
mod outward;
mod shown;
mod tables;
mod thrown;

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use js_sys::{Array, Promise};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

pub use self::errors::early_error_to_js;
use self::errors::members_of;
use self::identity::Identities;
use self::inward::Inward;
pub use self::inward::Refusal;
use self::outward::{InvalidText, Outward};
pub use self::shown::Shown;
use crate::bind::Binder;
use crate::error::ScriptError;
use crate::failure::Failure;
use crate::host::hooks::Hooks;
use crate::origin::Cause;
use crate::scheduler::Scheduler;

/// Converts the values of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Converter(Rc<Inner>);

struct Inner {
    lua: WeakLua,
    scheduler: Scheduler,
    binder: Binder,
    hooks: Hooks,
    identities: Identities,
    /// Runs a Luau function for the page.
    runner: OnceCell<Box<Runner>>,
    /// The error with which many threads end just now, and the JS error for it.
    common_error: RefCell<Option<(ScriptError, JsValue)>>,
}

type Runner = dyn Fn(LuaFunction, &Array) -> Promise;

/// The failure for something that the page threw. Should it get out of the script, the page finds what was thrown as the cause of the
/// error.
#[must_use]
pub fn page_failure(message: String, thrown: JsValue) -> Failure {
    Failure::caused(message, Cause::new(thrown))
}

impl Converter {
    /// A converter for `lua`.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(lua: &Lua, scheduler: &Scheduler, binder: &Binder, hooks: Hooks) -> LuaResult<Self> {
        Ok(Self(Rc::new(Inner {
            lua: lua.weak(),
            scheduler: scheduler.clone(),
            binder: binder.clone(),
            hooks,
            identities: Identities::new(lua, binder)?,
            runner: OnceCell::new(),
            common_error: RefCell::default(),
        })))
    }

    /// Sets how Luau functions are run for the page.
    pub fn set_runner(&self, runner: impl Fn(LuaFunction, &Array) -> Promise + 'static) {
        // Set once, by the VM.
        let _ = self.0.runner.set(Box::new(runner));
    }

    /// Whether JS holds a function or another value of the VM.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.0.identities.are_held()
    }

    /// A handle that does not keep the converter alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakConverter {
        WeakConverter(Rc::downgrade(&self.0))
    }

    /// The JS value for a Luau value.
    ///
    /// # Errors
    /// For a string that is not UTF-8, and when there is no memory for a handle of a function or a userdata.
    pub fn to_js(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let mut outward = Outward::new(self, InvalidText::Refuse);
        let result = outward.value(value)?;
        outward.fill()?;
        Ok(result)
    }

    /// The JS value for a Luau value that the host only shows, with strings that are not UTF-8 as bytes.
    ///
    /// # Errors
    /// When there is no memory for a handle of a function or a userdata.
    fn to_js_shown(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let mut outward = Outward::new(self, InvalidText::Bytes);
        let result = outward.value(value)?;
        outward.fill()?;
        Ok(result)
    }

    /// The JS array for several Luau values.
    ///
    /// # Errors
    /// As [`to_js`](Self::to_js).
    pub fn to_js_array<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>) -> LuaResult<Array> {
        self.array(values, InvalidText::Refuse)
    }

    /// The JS array for several Luau values that the host only shows, with strings that are not UTF-8 as bytes.
    ///
    /// # Errors
    /// When there is no memory for a handle of a function or a userdata.
    pub fn to_js_array_shown<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>) -> LuaResult<Array> {
        self.array(values, InvalidText::Bytes)
    }

    fn array<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>, invalid_text: InvalidText) -> LuaResult<Array> {
        let mut outward = Outward::new(self, invalid_text);
        let result = values.into_iter().map(|value| outward.value(value)).collect::<LuaResult<Array>>()?;
        outward.fill()?;
        Ok(result)
    }

    /// The Luau value for a JS value.
    ///
    /// # Errors
    /// When a getter or a `Proxy` throws, for a `bigint` of more than 64 bits, for an array that is too long, a `Map` with a
    /// key that no table can have, and when there is no memory.
    pub fn to_luau(&self, lua: &Lua, value: &JsValue) -> Result<LuaValue, Refusal> {
        let mut inward = Inward::new(self, lua);
        let result = inward.value(value)?;
        inward.fill()?;
        Ok(result)
    }

    /// Returns the Luau value for a JS value that a waiting thread is about to get, within the limits of a thread.
    ///
    /// # Errors
    /// As [`to_luau`](Self::to_luau), and when that takes too long.
    pub(crate) fn to_luau_within_limits(&self, lua: &Lua, value: &JsValue) -> Result<LuaValue, Refusal> {
        // Only what is inside an object takes long.
        if value.is_object() {
            self.0.scheduler.within_limits(|| self.to_luau(lua, value))
        } else {
            self.to_luau(lua, value)
        }
    }

    /// Returns the Luau value for a global. With `is_read_only` its tables are read-only, at every level.
    ///
    /// # Errors
    /// As [`to_luau`](Self::to_luau).
    pub fn to_luau_global(&self, lua: &Lua, value: &JsValue, is_read_only: bool) -> Result<LuaValue, Refusal> {
        let mut inward = Inward::new(self, lua);
        let result = inward.value(value)?;
        inward.fill()?;
        if is_read_only {
            inward.freeze()?;
        }
        Ok(result)
    }

    /// The Luau values for the elements of a JS array.
    ///
    /// # Errors
    /// As [`to_luau`](Self::to_luau).
    pub fn to_luau_values(&self, lua: &Lua, values: &Array) -> Result<LuaMultiValue, Refusal> {
        let mut inward = Inward::new(self, lua);
        let result = values.iter().map(|value| inward.value(&value)).collect::<Result<_, _>>()?;
        inward.fill()?;
        Ok(result)
    }

    /// Returns the value that the running script is to get for a failure, by other means than the [`Binder`]'s.
    pub fn raised(&self, lua: &Lua, failure: Failure) -> LuaValue {
        self.0.scheduler.raised(lua, failure)
    }

    /// The JS error for a value of the page that cannot be a Luau value.
    #[must_use]
    pub fn refusal_to_js(&self, what: &str, refusal: &Refusal) -> JsValue {
        self.error_with_cause(&ScriptError::plain(refusal.kind, &refusal.text(what)), refusal.thrown.as_ref())
    }

    /// Calls `end`, which ends many threads with one error. All of them get the same JS error: making one takes longer than all else about
    /// the end of a thread.
    pub fn with_common_error<R>(&self, error: &ScriptError, end: impl FnOnce() -> R) -> R {
        let common = (error.clone(), self.error_to_js(error));
        self.0.common_error.replace(Some(common));
        let result = end();
        self.0.common_error.take();
        result
    }

    /// The JS error for an error of a script: a `LuauError`, with the members that the package documents.
    #[must_use]
    pub fn error_to_js(&self, error: &ScriptError) -> JsValue {
        if let Some((common, js)) = &*self.0.common_error.borrow()
            && (common.kind, &common.message, &common.frames) == (error.kind, &error.message, &error.frames)
        {
            return js.clone();
        }
        self.error_with_cause(error, error.cause.as_ref().and_then(Cause::get))
    }

    /// The JS error for an error that a run or a call ends with. Should the host throw it, the script gets the very value that was thrown.
    #[must_use]
    pub fn thrown_to_js(&self, error: &ScriptError) -> JsValue {
        let thrown = self.error_to_js(error);
        self.remember_thrown(&thrown, &error.value);
        thrown
    }

    /// The JS error for an error of a script that has a cause on the page's side.
    #[must_use]
    pub fn error_with_cause(&self, error: &ScriptError, cause: Option<&JsValue>) -> JsValue {
        if let Some(original) = error.original.as_ref().and_then(Cause::get::<JsValue>) {
            return original.clone();
        }
        // A value that cannot be shown for want of memory must not hide the error.
        let value = self.to_js_shown(&error.value).unwrap_or_default();
        self.0.hooks.error(&error.message, &members_of(error, &value, cause))
    }
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converter").finish_non_exhaustive()
    }
}

/// A handle to a [`Converter`] that does not keep it alive: for what the VM itself holds.
#[derive(Clone)]
pub struct WeakConverter(Weak<Inner>);

impl WeakConverter {
    /// The converter, while there is one.
    #[must_use]
    pub fn upgrade(&self) -> Option<Converter> {
        self.0.upgrade().map(Converter)
    }
}

impl WeakConverter {
    /// JS let go of a handle. It may have been the last thing that kept the VM from its end, which comes with a turn.
    fn release(&self, number: u32) {
        if let Some(converter) = self.upgrade() {
            converter.0.identities.forget(number);
            if !converter.is_held() {
                converter.0.scheduler.event(|| {});
            }
        }
    }
}

impl fmt::Debug for WeakConverter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakConverter").finish_non_exhaustive()
    }
}
