//! The promises of the host that threads wait for.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;

use js_sys::Promise;
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use luau_runtime::scheduler::ResumeToken;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Promise)]
    type Awaitable;

    #[wasm_bindgen(method)]
    fn then(this: &Awaitable, on_fulfilled: &JsValue, on_rejected: &JsValue);

    /// A function that takes a number, whether its promise was fulfilled, and the value or the error.
    #[wasm_bindgen(extends = js_sys::Object)]
    type Settle;

    #[wasm_bindgen(method)]
    fn bind(this: &Settle, context: &JsValue, number: u32, is_fulfilled: bool) -> JsValue;
}

/// The threads that wait for promises, by number.
///
/// The functions that a promise calls hold only a number. So if a thread stops waiting for a promise that is never settled, nothing of it
/// is left in the module, and the functions go with the promise.
#[derive(Default)]
pub(super) struct Awaited {
    tokens: RefCell<HashMap<u32, ResumeToken>>,
    last_number: Cell<u32>,
    /// JS owns this function, because promises may be settled after the VM has ended.
    settle: OnceCell<Settle>,
}

impl Converter {
    /// Parks the running thread until `promise` is settled.
    pub(super) fn wait_for(&self, lua: &Lua, promise: Promise) {
        let Awaited { tokens, last_number, settle } = &self.0.awaited;
        let number = last_number.get().wrapping_add(1);
        last_number.set(number);
        let converter = self.downgrade();
        let token = self.0.scheduler.park(lua, move || {
            if let Some(converter) = converter.upgrade() {
                converter.0.awaited.tokens.borrow_mut().remove(&number);
            }
        });
        tokens.borrow_mut().insert(number, token);
        let settle = settle.get_or_init(|| self.settle_function());
        let on_settled = |is_fulfilled: bool| settle.bind(&JsValue::UNDEFINED, number, is_fulfilled);
        promise.unchecked_into::<Awaitable>().then(&on_settled(true), &on_settled(false));
    }

    fn settle_function(&self) -> Settle {
        let converter = self.downgrade();
        let settle = Closure::<dyn Fn(u32, bool, JsValue)>::new(move |number, is_fulfilled, value| {
            let Some(converter) = converter.upgrade() else { return };
            let token = converter.0.awaited.tokens.borrow_mut().remove(&number);
            if let Some(token) = token {
                converter.settled(token, if is_fulfilled { Ok(value) } else { Err(value) });
            }
        });
        settle.into_js_value().unchecked_into()
    }

    fn settled(&self, token: ResumeToken, outcome: Result<JsValue, JsValue>) {
        let converter = self.clone();
        self.0.scheduler.notify(|| {
            self.0.scheduler.dispatch(move |lua| {
                let result = outcome.map_err(|thrown| converter.call_error_of(lua, thrown)).and_then(|value| {
                    let value = converter.to_luau_within_limits(lua, &value);
                    value.map_err(|error| error.into_call_error("what the promise was resolved with"))
                });
                let scheduler = &converter.0.scheduler;
                scheduler.run_before_queue(|| match result {
                    Ok(value) => scheduler.wake(token, LuaMultiValue::from_vec(vec![value])),
                    Err(error) => scheduler.fail(token, error),
                });
            });
        });
    }
}
