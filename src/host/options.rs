//! Reading what the page gives as options.

use js_sys::{Function, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// The number that an object of options has under `name`, or none.
///
/// # Errors
/// When it has something there that is no number above zero, or reading it throws.
pub fn number_option(options: &JsValue, name: &str) -> Result<Option<f64>, JsValue> {
    let Some(value) = option(options, name)? else { return Ok(None) };
    match value.as_f64() {
        Some(number) if number > 0.0 => Ok(Some(number)),
        _ => Err(js_sys::TypeError::new(&format!("option {name}: not a number above zero")).into()),
    }
}

/// What an object of options has under `name`, or none.
///
/// # Errors
/// When reading it throws.
pub fn option(options: &JsValue, name: &str) -> Result<Option<JsValue>, JsValue> {
    if options.is_undefined() || options.is_null() {
        return Ok(None);
    }
    let value = Reflect::get(options, &name.into())?;
    Ok(Some(value).filter(|value| !value.is_undefined() && !value.is_null()))
}

/// The function that an object of options has under `name`, or none.
///
/// # Errors
/// When it has something there that is no function, or reading it throws.
pub fn function_option(options: &JsValue, name: &str) -> Result<Option<Function>, JsValue> {
    let Some(value) = option(options, name)? else { return Ok(None) };
    value.dyn_into().map(Some).map_err(|_| js_sys::TypeError::new(&format!("option {name}: not a function")).into())
}

/// The boolean that an object of options has under `name`, or none.
///
/// # Errors
/// When it has something there that is no boolean, or reading it throws.
pub fn boolean_option(options: &JsValue, name: &str) -> Result<Option<bool>, JsValue> {
    let Some(value) = option(options, name)? else { return Ok(None) };
    match value.as_bool() {
        Some(boolean) => Ok(Some(boolean)),
        None => Err(js_sys::TypeError::new(&format!("option {name}: not true or false")).into()),
    }
}
