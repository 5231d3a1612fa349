//! luaur for the benchmarks: the smallest page API that runs its VM.

use luaur::{Function, Lua, Value};
use wasm_bindgen::prelude::wasm_bindgen;

/// A VM with a workload.
#[wasm_bindgen]
pub struct Vm {
    lua: Lua,
}

#[wasm_bindgen]
impl Vm {
    /// Creates a VM and runs the source in it.
    ///
    /// # Errors
    ///
    /// Returns the message of the script's error.
    #[wasm_bindgen(constructor)]
    pub fn new(source: &str) -> Result<Self, String> {
        console_error_panic_hook::set_once();
        let lua = Lua::new();
        lua.load(source).set_name("=workload").exec().map_err(|error| error.to_string())?;
        Ok(Self { lua })
    }

    /// Calls a global function of the workload with a number, and returns its result as text.
    ///
    /// # Errors
    ///
    /// Returns the message of the script's error.
    pub fn call(&self, name: &str, count: f64) -> Result<String, String> {
        let call = || {
            let function: Function = self.lua.globals().get(name)?;
            let value: Value = function.call(count)?;
            value.to_string()
        };
        call().map_err(|error: luaur::Error| error.to_string())
    }
}
