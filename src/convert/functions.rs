//! Host functions that scripts call, and script functions that the host calls.

use js_sys::{Array, Function, Promise, Reflect};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::{Converter, WeakConverter, early_error_to_js};
use crate::js::hooks::Hooks;
use crate::js::values;
use luau_runtime::call_error::CallError;
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::function::Answer;

impl Converter {
    /// Creates the Luau function that calls a host function. If the host function returns a promise, the calling thread yields until the
    /// promise is settled.
    pub(super) fn luau_function(&self, lua: &Lua, function: &Function) -> LuaResult<LuaFunction> {
        let callee = match values::function_name(function) {
            Some(name) => format!("the host function '{name}'"),
            None => "a host function".to_owned(),
        };
        let (converter, function) = (self.downgrade(), function.clone());
        self.0.builder.maybe_yielding(lua, Some(&callee), move |lua, args| match converter.upgrade() {
            Some(converter) => converter.call(lua, &function, &args),
            None => Err(CallError::new("the VM is disposed")),
        })
    }

    fn call(&self, lua: &Lua, function: &Function, args: &LuaMultiValue) -> Result<Answer, CallError> {
        let args = self.to_js_array(args.iter())?;
        let result = values::call(function, &args).map_err(|thrown| self.call_error_of(lua, thrown))?;
        let promise = values::promise(&result).map_err(|thrown| self.call_error_of(lua, thrown))?;
        if let Some(promise) = promise {
            self.wait_for(lua, promise);
            return Ok(Answer::Pending);
        }
        let result = self.to_luau(lua, &result).map_err(|error| error.into_call_error("what the function returned"))?;
        Ok(Answer::Ready(LuaMultiValue::from_vec(vec![result])))
    }

    /// Creates the JS function that calls a script function through its handle.
    pub(super) fn js_function(&self, handle: LuauFunction) -> Function {
        let handle = JsValue::from(handle);
        // A method of the class right below.
        let call = Reflect::get(&handle, &"call".into()).unwrap_or_default();
        self.0.hooks.function(call.unchecked_into::<Function>().bind0(&handle))
    }
}

/// A handle to a script function, which it keeps alive.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LuauFunction {
    number: u32,
    converter: WeakConverter,
    /// The hooks that create the error if the VM is gone.
    hooks: Hooks,
}

#[wasm_bindgen]
impl LuauFunction {
    /// Calls the function in a thread of its own. The promise is resolved with the array of results, or rejected with a `LuauError`.
    #[wasm_bindgen(variadic)]
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes the arguments by value")]
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
        let error = ScriptError::new(Kind::Disposed, "the VM of this function is disposed");
        self.hooks.rejected_call(&early_error_to_js(&self.hooks, &error))
    }
}

impl Drop for LuauFunction {
    fn drop(&mut self) {
        self.converter.release(self.number);
    }
}
