use wasm_bindgen::prelude::*;
#[wasm_bindgen]
pub fn eval(s: &str) -> String {
    cxx_runtime::init();
    let lua = unsafe { mlua::Lua::unsafe_new() };
    match lua.load(s).eval::<mlua::Value>() { Ok(v) => format!("{v:?}"), Err(e) => format!("ERR {e}") }
}
