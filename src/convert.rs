//! JS values as Luau values, and Luau values and errors as JS values.
//!
//! | JS | Luau | back in JS |
//! |---|---|---|
//! | `undefined`, `null` | nil | `undefined` |
//! | boolean, number, a safe `bigint` | boolean, number | the same, of a `bigint` the number |
//! | string | string | string; `Uint8Array` when it is not UTF-8 |
//! | `ArrayBuffer`, view | buffer, a copy | `Uint8Array`, a copy |
//! | array, plain object, `Map` | table | array when the keys are 1 to n, plain object when all are strings, otherwise `Map` |
//! | function | function | the same function |
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

use std::cell::OnceCell;
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
use self::outward::Outward;
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
            identities: Identities::new(lua)?,
            runner: OnceCell::new(),
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
    /// When there is no memory for a handle of a function or a userdata.
    pub fn to_js(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let mut outward = Outward::new(self);
        let result = outward.value(value)?;
        outward.fill()?;
        Ok(result)
    }

    /// The JS array for several Luau values.
    ///
    /// # Errors
    /// When there is no memory for a handle of a function or a userdata.
    pub fn to_js_array<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>) -> LuaResult<Array> {
        let mut outward = Outward::new(self);
        let result = values.into_iter().map(|value| outward.value(value)).collect::<LuaResult<Array>>()?;
        outward.fill()?;
        Ok(result)
    }

    /// The Luau value for a JS value.
    ///
    /// # Errors
    /// When a getter or a `Proxy` throws, for a `bigint` that is not safe, for an array that is too long, a `Map` with a
    /// key that no table can have, and when there is no memory.
    pub fn to_luau(&self, lua: &Lua, value: &JsValue) -> Result<LuaValue, Refusal> {
        let mut inward = Inward::new(self, lua);
        let result = inward.value(value)?;
        inward.fill()?;
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

    /// That the script that runs is about to get a failure, by other means than the [`Binder`]'s.
    pub fn note_raised(&self, failure: &Failure) {
        self.0.scheduler.note_raised(failure);
    }

    /// The JS error for a value of the page that cannot be a Luau value.
    #[must_use]
    pub fn refusal_to_js(&self, what: &str, refusal: &Refusal) -> JsValue {
        self.error_with_cause(&ScriptError::plain(refusal.kind, &refusal.text(what)), refusal.thrown.as_ref())
    }

    /// The JS error for an error of a script: a `LuauError`, with the members that the package documents.
    #[must_use]
    pub fn error_to_js(&self, error: &ScriptError) -> JsValue {
        self.error_with_cause(error, error.cause.as_ref().and_then(Cause::get))
    }

    /// The JS error for an error of a script that has a cause on the page's side.
    #[must_use]
    pub fn error_with_cause(&self, error: &ScriptError, cause: Option<&JsValue>) -> JsValue {
        // A value that cannot be shown for want of memory must not hide the error.
        let value = self.to_js(&error.value).unwrap_or_default();
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
