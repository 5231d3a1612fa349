//! The sources of the modules that scripts require, as the page gives them.

use std::future::Future;
use std::pin::Pin;

use js_sys::{Function, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::values;

/// The page's function that has the sources.
#[derive(Clone, Debug)]
pub struct ModuleSource(Function);

/// A source that is on its way.
type Coming = Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, JsValue>>>>;

/// What the page said to a path.
pub enum Lookup {
    /// The source, or none if there is no such module.
    Now(Option<Vec<u8>>),
    /// The same, later.
    Later(Coming),
}

impl ModuleSource {
    /// By a function that takes a path, and returns a string, bytes, `undefined` or `null`, or a promise of one of these.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self(function)
    }

    /// Asks for the source at a path.
    ///
    /// # Errors
    /// What the function threw, or a `TypeError` if it returned something else.
    pub fn look_up(&self, path: &str) -> Result<Lookup, JsValue> {
        let found = self.0.call1(&JsValue::UNDEFINED, &path.into())?;
        Ok(match values::promise(&found)? {
            Some(promise) => Lookup::Later(Box::pin(async move { source(&JsFuture::from(promise).await?) })),
            None => Lookup::Now(source(&found)?),
        })
    }
}

fn source(found: &JsValue) -> Result<Option<Vec<u8>>, JsValue> {
    if found.is_undefined() || found.is_null() {
        return Ok(None);
    }
    if let Some(text) = found.as_string() {
        return Ok(Some(text.into_bytes()));
    }
    if let Some(bytes) = found.dyn_ref::<Uint8Array>() {
        return Ok(Some(bytes.to_vec()));
    }
    // js/modules.ts refuses anything else before, in words for the host.
    Err(js_sys::TypeError::new("a module source is neither a string nor a Uint8Array").into())
}
