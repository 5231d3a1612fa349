//! Converts JS values to Luau values, and Luau values and errors to JS values.
//!
//! | JS | Luau | back in JS |
//! |---|---|---|
//! | `undefined`, `null` | nil | `undefined` |
//! | `jsonNull` of the package | `json.null` | `null` |
//! | boolean, number, safe `bigint` | boolean, number | the same; a number for a `bigint` |
//! | other `bigint` of up to 64 bits | integer | `bigint` |
//! | string | string | string; an error if it is not UTF-8 |
//! | `ArrayBuffer`, view | buffer, a copy | `Uint8Array`, a copy |
//! | array, plain object, `Map` | table | array if the keys are 1 to n, plain object if all are strings, otherwise `Map` |
//! | function | function | the same function |
//! | `Error` | userdata with `name`, `message` and `code` | the same object |
//! | any other object | userdata | the same object |
//! | a function that returns promises | function | the same function |
//! | `LuauValue` | thread, our own userdata | the same `LuauValue` |
//!
//! Shared and cyclic tables, arrays, objects and maps stay shared and cyclic, at any depth: both directions use a work list instead of
//! recursion.

mod awaited;
mod errors;
mod functions;
mod identity;
mod inward;
mod outward;
mod printed;
mod tables;
mod thrown;

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use js_sys::{Array, Promise};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use self::awaited::Awaited;
pub(crate) use self::errors::early_error_to_js;
use self::errors::members_of;
use self::identity::Identities;
pub(crate) use self::inward::ConversionError;
use self::inward::Inward;
use self::outward::{InvalidText, Outward};
pub(crate) use self::printed::PrintedValues;
use crate::js::hooks::Hooks;
use luau_runtime::call_error::CallError;
use luau_runtime::error::Cause;
use luau_runtime::error::ScriptError;
use luau_runtime::function::FunctionBuilder;
use luau_runtime::scheduler::{Scheduler, Urgency};

/// The converter for the values of one VM. Cloning creates another handle to the same converter.
#[derive(Clone)]
pub(crate) struct Converter(Rc<Inner>);

struct Inner {
    lua: WeakLua,
    scheduler: Scheduler,
    builder: FunctionBuilder,
    hooks: Hooks,
    identities: Identities,
    awaited: Awaited,
    /// The function that runs a Luau function for the host.
    runner: OnceCell<Box<Runner>>,
    /// The error with which many threads are ending, and the JS error for it.
    common_error: RefCell<Option<(ScriptError, JsValue)>>,
}

type Runner = dyn Fn(LuaFunction, &Array) -> Promise;

impl Converter {
    /// Creates a converter for `lua`.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(crate) fn new(lua: &Lua, scheduler: &Scheduler, builder: &FunctionBuilder, hooks: Hooks) -> LuaResult<Self> {
        Ok(Self(Rc::new(Inner {
            lua: lua.weak(),
            scheduler: scheduler.clone(),
            builder: builder.clone(),
            hooks,
            identities: Identities::new(lua, builder)?,
            awaited: Awaited::default(),
            runner: OnceCell::new(),
            common_error: RefCell::default(),
        })))
    }

    /// Sets the function that runs Luau functions for the host.
    pub(crate) fn set_runner(&self, runner: impl Fn(LuaFunction, &Array) -> Promise + 'static) {
        // The VM sets it only once.
        let _ = self.0.runner.set(Box::new(runner));
    }

    /// Returns true if JS holds a function or another value of the VM.
    #[must_use]
    pub(crate) fn is_held(&self) -> bool {
        self.0.identities.are_held()
    }

    /// Returns a handle that does not keep the converter alive.
    #[must_use]
    pub(crate) fn downgrade(&self) -> WeakConverter {
        WeakConverter(Rc::downgrade(&self.0))
    }

    /// Converts a Luau value to JS.
    ///
    /// # Errors
    /// If a string is not UTF-8, or there is not enough memory for the handle of a function or userdata.
    pub(crate) fn to_js(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let mut outward = Outward::new(self, InvalidText::Refuse);
        let result = outward.value(value)?;
        outward.fill()?;
        Ok(result)
    }

    /// Converts a Luau value that the host only displays. Strings that are not UTF-8 become bytes.
    ///
    /// # Errors
    /// If there is not enough memory for the handle of a function or userdata.
    fn value_for_display(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let mut outward = Outward::new(self, InvalidText::Bytes);
        let result = outward.value(value)?;
        outward.fill()?;
        Ok(result)
    }

    /// Converts several Luau values to a JS array.
    ///
    /// # Errors
    /// As for [`to_js`](Self::to_js).
    pub(crate) fn to_js_array<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>) -> LuaResult<Array> {
        self.array(values, InvalidText::Refuse)
    }

    /// Converts several Luau values that the host only displays to a JS array. Strings that are not UTF-8 become bytes.
    ///
    /// # Errors
    /// If there is not enough memory for the handle of a function or userdata.
    pub(crate) fn array_for_display<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>) -> LuaResult<Array> {
        self.array(values, InvalidText::Bytes)
    }

    fn array<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>, invalid_text: InvalidText) -> LuaResult<Array> {
        let mut outward = Outward::new(self, invalid_text);
        let result = values.into_iter().map(|value| outward.value(value)).collect::<LuaResult<Array>>()?;
        outward.fill()?;
        Ok(result)
    }

    /// Converts a JS value to Luau.
    ///
    /// # Errors
    /// If a getter or a `Proxy` throws, a `bigint` has more than 64 bits, an array is too long, a `Map` has a key that a table cannot have,
    /// or there is not enough memory.
    pub(crate) fn to_luau(&self, lua: &Lua, value: &JsValue) -> Result<LuaValue, ConversionError> {
        let mut inward = Inward::new(self, lua);
        let result = inward.value(value)?;
        inward.fill()?;
        Ok(result)
    }

    /// Converts a JS value for a waiting thread, within the limits of a thread.
    ///
    /// # Errors
    /// As for [`to_luau`](Self::to_luau), and if the conversion takes too long.
    pub(crate) fn to_luau_within_limits(&self, lua: &Lua, value: &JsValue) -> Result<LuaValue, ConversionError> {
        // Only the contents of an object can take long.
        if value.is_object() {
            self.0.scheduler.within_limits(|| self.to_luau(lua, value))
        } else {
            self.to_luau(lua, value)
        }
    }

    /// Converts the value of a global. If `is_read_only`, its tables become read-only at every level.
    ///
    /// # Errors
    /// As for [`to_luau`](Self::to_luau).
    pub(crate) fn to_luau_global(
        &self,
        lua: &Lua,
        value: &JsValue,
        is_read_only: bool,
    ) -> Result<LuaValue, ConversionError> {
        let mut inward = Inward::new(self, lua);
        let result = inward.value(value)?;
        inward.fill()?;
        if is_read_only {
            inward.freeze()?;
        }
        Ok(result)
    }

    /// Converts the elements of a JS array to Luau values.
    ///
    /// # Errors
    /// As for [`to_luau`](Self::to_luau).
    pub(crate) fn to_luau_values(&self, lua: &Lua, values: &Array) -> Result<LuaMultiValue, ConversionError> {
        let mut inward = Inward::new(self, lua);
        let result = values.iter().map(|value| inward.value(&value)).collect::<Result<_, _>>()?;
        inward.fill()?;
        Ok(result)
    }

    /// Returns the value that the running script receives for an error, for functions that the [`FunctionBuilder`] did not create.
    pub(crate) fn raised(&self, lua: &Lua, error: CallError) -> LuaValue {
        self.0.scheduler.raised(lua, error)
    }

    /// Creates the JS error for a host value that cannot be converted to Luau.
    #[must_use]
    pub(crate) fn conversion_error_to_js(&self, what: &str, error: &ConversionError) -> JsValue {
        self.error_with_cause(&ScriptError::new(error.kind, error.text(what)), error.thrown.as_ref())
    }

    /// Calls `end`, which ends many threads with one error. All of them get the same JS error, because creating one is the slowest part of
    /// ending a thread.
    pub(crate) fn with_common_error<R>(&self, error: &ScriptError, end: impl FnOnce() -> R) -> R {
        let common = (error.clone(), self.error_to_js(error));
        self.0.common_error.replace(Some(common));
        let result = end();
        self.0.common_error.take();
        result
    }

    /// Converts a script error to a `LuauError`, with the members that the package documents.
    #[must_use]
    pub(crate) fn error_to_js(&self, error: &ScriptError) -> JsValue {
        if let Some((common, js)) = &*self.0.common_error.borrow()
            && (common.kind, &common.message, &common.frames) == (error.kind, &error.message, &error.frames)
        {
            return js.clone();
        }
        self.error_with_cause(error, error.cause.as_ref().and_then(Cause::get))
    }

    /// Converts the error of a failed run or call to JS. If the host throws the result, the script gets the value that was originally
    /// thrown.
    #[must_use]
    pub(crate) fn thrown_to_js(&self, error: &ScriptError) -> JsValue {
        let thrown = self.error_to_js(error);
        self.remember_thrown(&thrown, &error.value);
        thrown
    }

    /// Converts a script error that has a cause in JS.
    #[must_use]
    pub(crate) fn error_with_cause(&self, error: &ScriptError, cause: Option<&JsValue>) -> JsValue {
        if let Some(original) = error.original.as_ref().and_then(Cause::get::<JsValue>) {
            return original.clone();
        }
        // If there is not enough memory to convert the value, the error must still be reported.
        let value = self.value_for_display(&error.value).unwrap_or_default();
        self.0.hooks.error(&error.message, &members_of(error, &value, cause))
    }
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converter").finish_non_exhaustive()
    }
}

/// A handle to a [`Converter`] that does not keep it alive, for values that the VM itself holds.
#[derive(Clone)]
pub(crate) struct WeakConverter(Weak<Inner>);

impl WeakConverter {
    /// Returns the converter, if it still exists.
    #[must_use]
    pub(crate) fn upgrade(&self) -> Option<Converter> {
        self.0.upgrade().map(Converter)
    }
}

impl WeakConverter {
    /// Releases a handle that JS has dropped. It may have been the last thing that kept the VM alive, in which case a turn ends the VM.
    fn release(&self, number: u32) {
        if let Some(converter) = self.upgrade() {
            converter.0.identities.forget(number);
            if !converter.is_held() {
                converter.0.scheduler.request_turn(Urgency::CanWait);
            }
        }
    }
}

impl fmt::Debug for WeakConverter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakConverter").finish_non_exhaustive()
    }
}
