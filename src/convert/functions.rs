//! Functions of the page that scripts call, and functions of scripts that the page calls.

use js_sys::{Array, Function, Promise, Reflect};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{Converter, WeakConverter, early_error_to_js};
use crate::bind::Answer;
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::host::hooks::Hooks;
use crate::host::values;
use crate::scheduler::Token;

impl Converter {
    /// The Luau function that calls a function of the page. When that returns a promise, the thread that called it yields
    /// until the promise is settled.
    pub(super) fn luau_function(&self, lua: &Lua, function: &Function) -> LuaResult<LuaFunction> {
        let callee = match values::function_name(function) {
            Some(name) => format!("the host function '{name}'"),
            None => "a host function".to_owned(),
        };
        let (converter, function) = (self.downgrade(), function.clone());
        self.0.binder.answering(lua, Some(&callee), move |lua, args| match converter.upgrade() {
            Some(converter) => converter.call(lua, &function, &args),
            None => Err(Failure::new("the VM is disposed")),
        })
    }

    fn call(&self, lua: &Lua, function: &Function, args: &LuaMultiValue) -> Result<Answer, Failure> {
        let args = self.to_js_array(args.iter())?;
        let result = values::call(function, &args).map_err(|thrown| self.failure_of(lua, thrown))?;
        let promise = values::promise(&result).map_err(|thrown| self.failure_of(lua, thrown))?;
        if let Some(promise) = promise {
            self.wait_for(lua, promise);
            return Ok(Answer::Parked);
        }
        let result =
            self.to_luau(lua, &result).map_err(|refusal| refusal.into_failure("what the function returned"))?;
        Ok(Answer::Now(LuaMultiValue::from_vec(vec![result])))
    }

    /// Parks the thread that is running until `promise` is settled.
    fn wait_for(&self, lua: &Lua, promise: Promise) {
        // There is nothing to give back: a promise cannot be called off, and a stale token does nothing.
        let token = self.0.scheduler.park(lua, || {});
        let converter = self.downgrade();
        spawn_local(async move {
            let outcome = JsFuture::from(promise).await;
            if let Some(converter) = converter.upgrade() {
                converter.settled(token, outcome);
            }
        });
    }

    fn settled(&self, token: Token, outcome: Result<JsValue, JsValue>) {
        let converter = self.clone();
        self.0.scheduler.event(|| {
            self.0.scheduler.dispatch(move |lua| {
                let result = outcome.map_err(|thrown| converter.failure_of(lua, thrown)).and_then(|value| {
                    let value = converter.to_luau_within_limits(lua, &value);
                    value.map_err(|refusal| refusal.into_failure("what the promise was resolved with"))
                });
                let scheduler = &converter.0.scheduler;
                scheduler.ahead(|| match result {
                    Ok(value) => scheduler.wake(token, LuaMultiValue::from_vec(vec![value])),
                    Err(failure) => scheduler.fail(token, failure),
                });
            });
        });
    }

    /// The JS function that calls a function of the script, by its handle.
    pub(super) fn js_function(&self, handle: LuauFunction) -> Function {
        let handle = JsValue::from(handle);
        // A method of the class that stands right below.
        let call = Reflect::get(&handle, &"call".into()).unwrap_or_default();
        self.0.hooks.function(call.unchecked_into::<Function>().bind0(&handle))
    }
}

/// A function of a script, which it keeps alive.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LuauFunction {
    number: u32,
    converter: WeakConverter,
    /// For the error when the VM is gone.
    hooks: Hooks,
}

#[wasm_bindgen]
impl LuauFunction {
    /// Calls the function in a thread of its own. The promise is resolved with the array of what it returns, and rejected
    /// with a `LuauError`.
    #[wasm_bindgen(variadic)]
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen hands the arguments over as a whole")]
    pub fn call(&self, args: Array) -> Promise {
        let Some(converter) = self.converter.upgrade() else {
            return self.refuse();
        };
        let Some(LuaValue::Function(function)) = converter.0.identities.value(self.number) else {
            return self.refuse();
        };
        match converter.0.runner.get() {
            Some(run) => run(function, &args),
            None => self.refuse(),
        }
    }
}

impl LuauFunction {
    pub(super) fn new(number: u32, converter: &Converter) -> Self {
        Self { number, converter: converter.downgrade(), hooks: converter.0.hooks.clone() }
    }

    fn refuse(&self) -> Promise {
        let error = ScriptError::plain(Kind::Disposed, "the VM of this function is disposed");
        self.hooks.rejected_call(&early_error_to_js(&self.hooks, &error))
    }
}

impl Drop for LuauFunction {
    fn drop(&mut self) {
        self.converter.release(self.number);
    }
}
