//! What a script shows by `print` and `warn`, for pages that want more than the text.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Array;
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use crate::error::ScriptError;

/// The values that are being shown. The page gets a function that converts them, good only while it is told of them: so
/// that nothing is converted, and no function made, for pages that do not ask.
pub struct Shown {
    current: Rc<RefCell<Option<LuaMultiValue>>>,
    /// Owned by JS: a host may keep it for longer than the VM lives, and then gets the error that says so.
    convert: JsValue,
}

impl Shown {
    /// Nothing shown yet.
    #[must_use]
    pub fn new(converter: &Converter) -> Self {
        let current: Rc<RefCell<Option<LuaMultiValue>>> = Rc::default();
        let (of_convert, converter) = (current.clone(), converter.downgrade());
        let convert = Closure::<dyn Fn() -> Result<Array, JsValue>>::new(move || {
            let values = of_convert.borrow().clone();
            let converter = converter.upgrade();
            let (Some(values), Some(converter)) = (values, converter) else {
                return Err(JsError::new("values() is good only during the call that it was given to").into());
            };
            let array = converter.to_js_array_shown(values.iter());
            array.map_err(|error| converter.error_to_js(&ScriptError::from_lua(&error, "")))
        });
        Self { current, convert: convert.into_js_value() }
    }

    /// Calls `tell` with the function that converts `values`.
    pub fn during<R>(&self, values: LuaMultiValue, tell: impl FnOnce(&JsValue) -> R) -> R {
        let outer = self.current.replace(Some(values));
        let result = tell(&self.convert);
        let values = self.current.replace(outer);
        drop(values);
        result
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}
