//! The values that a script prints with `print` and `warn`, for hosts that need more than the text.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Array;
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use luau_runtime::error::ScriptError;

/// The values that are being printed. The host gets a function that converts them, which is valid only during the call. A host that does
/// not call it pays neither for the conversion nor for creating a function.
pub(crate) struct PrintedValues {
    current: Rc<RefCell<Option<LuaMultiValue>>>,
    /// The function that converts the values. JS owns it, because a host may keep it after the VM has ended; then it throws an error.
    convert: JsValue,
}

impl PrintedValues {
    /// Creates the function. There are no values yet.
    #[must_use]
    pub(crate) fn new(converter: &Converter) -> Self {
        let current: Rc<RefCell<Option<LuaMultiValue>>> = Rc::default();
        let convert = {
            let (current, converter) = (current.clone(), converter.downgrade());
            Closure::<dyn Fn() -> Result<Array, JsValue>>::new(move || {
                let values = current.borrow().clone();
                let converter = converter.upgrade();
                let (Some(values), Some(converter)) = (values, converter) else {
                    return Err(JsError::new("values() is only valid during the call that it was passed to").into());
                };
                let array = converter.array_for_display(values.iter());
                array.map_err(|error| converter.error_to_js(&ScriptError::from_lua(&error, "")))
            })
        };
        Self { current, convert: convert.into_js_value() }
    }

    /// Calls `write` with the function that converts `values`.
    pub(crate) fn with<R>(&self, values: LuaMultiValue, write: impl FnOnce(&JsValue) -> R) -> R {
        let outer = self.current.replace(Some(values));
        let result = write(&self.convert);
        let values = self.current.replace(outer);
        drop(values);
        result
    }
}

impl std::fmt::Debug for PrintedValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrintedValues").finish_non_exhaustive()
    }
}
