//! The smallest crate that runs Luau in WebAssembly: mlua, wasm-bindgen, and the C++ runtime that mlua needs there.

use mlua::prelude::*;
use wasm_bindgen::prelude::*;

/// Runs a chunk and returns what it returns, as text.
///
/// # Errors
/// When it is no Luau program, or raises an error.
#[wasm_bindgen]
pub fn evaluate(source: &str) -> Result<String, JsError> {
    // Before the first call into C++ code. Calling it again does nothing.
    cxx_runtime::init();
    let lua = Lua::new();
    let value: LuaValue = lua.load(source).set_name("=script").eval()?;
    Ok(value.to_string()?)
}
