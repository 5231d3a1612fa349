//! Everything that comes from JS: time, timers, macrotasks, sockets, and the host's own values and functions.
//!
//! Each is a value that owns resources on the JS side and releases them when it is dropped. First it detaches the handlers, then it frees
//! their closures, so that JS never calls a closure that is gone.
//!
//! An import that throws unexpectedly ends the whole instance. So every import that may run host code is declared with `catch`.

pub(crate) mod date;
pub(crate) mod frames;
pub(crate) mod hooks;
pub(crate) mod modules;
pub(crate) mod sink;
pub(crate) mod slots;
pub(crate) mod socket;
pub(crate) mod turns;
pub(crate) mod values;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::MessageChannel;

#[wasm_bindgen]
extern "C" {
    /// High Resolution Time, section 7.
    #[wasm_bindgen(catch, js_namespace = performance, js_name = now)]
    fn performance_now() -> Result<f64, JsValue>;

    /// HTML, section 8.6. The result is a number in browsers and an object in Node.
    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(handler: &Function, milliseconds: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue) -> Result<(), JsValue>;
}

/// Returns the milliseconds since the page, worker or process started. The time never goes back.
#[must_use]
pub fn now() -> f64 {
    // It fails only if the host has replaced it with a broken clock.
    performance_now().unwrap_or_default()
}

/// The maximum timeout of `setTimeout`. A longer one fires at once.
const MAX_TIMEOUT_MS: f64 = 2_147_483_647.0;

/// A `setTimeout` that can be armed repeatedly with the same handler.
#[must_use = "a timeout that is dropped never fires"]
pub(crate) struct Timeout {
    handler: Closure<dyn Fn()>,
    /// The time when it fires, and the result of `setTimeout`, while it is armed.
    armed: Rc<RefCell<Option<(f64, JsValue)>>>,
}

impl Timeout {
    /// Creates a timeout that calls `handler` each time it fires.
    pub(crate) fn new(handler: impl Fn() + 'static) -> Self {
        let armed: Rc<RefCell<Option<_>>> = Rc::default();
        let handler = {
            let armed = armed.clone();
            Closure::new(move || {
                armed.take();
                handler();
            })
        };
        Self { handler, armed }
    }

    /// Calls the handler at a time of [`now`], in milliseconds, but at most 2^31 milliseconds from now. If it is already armed for an
    /// earlier time, it fires then: when messages arrive for a reader with a timeout, rearming for each costs more than firing too early.
    pub(crate) fn arm(&self, time: f64) {
        if self.armed.borrow().as_ref().is_some_and(|(due, _)| *due <= time) {
            return;
        }
        self.disarm();
        // Rounded up, because a timeout that fires a moment early would have to be armed again.
        let milliseconds = (time - now()).max(0.0).ceil().min(MAX_TIMEOUT_MS);
        // A host's replacement may throw. Then the next call tries again.
        let id = set_timeout(self.handler.as_ref().unchecked_ref(), milliseconds).ok();
        self.armed.replace(id.map(|id| (time, id)));
    }

    /// Disarms the timeout, so that the handler is not called until it is armed again.
    pub(crate) fn disarm(&self) {
        let armed = self.armed.take();
        if let Some((_, id)) = armed {
            // A handler that is still called finds nothing to do.
            let _ = clear_timeout(&id);
        }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        self.disarm();
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").finish_non_exhaustive()
    }
}

/// A task that runs once the event loop has had control, unlike a microtask, and without the four milliseconds of a nested `setTimeout`. It
/// is a message to itself (HTML, section 9.4.2).
#[must_use = "a macrotask that is dropped never runs"]
pub(crate) struct Macrotask {
    handler: Closure<dyn Fn()>,
    /// The channel, open only while a message is pending: an open port would keep a Node process from exiting.
    channel: Cell<Option<MessageChannel>>,
}

impl Macrotask {
    /// Creates a macrotask that calls `handler` after each request. The handler must call [`done`](Self::done).
    pub(crate) fn new(handler: impl Fn() + 'static) -> Self {
        Self { handler: Closure::new(handler), channel: Cell::default() }
    }

    /// Requests a call of the handler, and cancels an earlier request.
    ///
    /// Returns false if that is impossible because there is no `MessageChannel`.
    pub(crate) fn request(&self) -> bool {
        self.done();
        let Ok(channel) = MessageChannel::new() else { return false };
        channel.port1().set_onmessage(Some(self.handler.as_ref().unchecked_ref()));
        let is_sent = channel.port2().post_message(&JsValue::NULL).is_ok();
        self.channel.set(Some(channel));
        is_sent
    }

    /// Cancels the request, or notes that the handler was called.
    pub(crate) fn done(&self) {
        if let Some(channel) = self.channel.take() {
            channel.port1().set_onmessage(None);
            channel.port1().close();
        }
    }
}

impl Drop for Macrotask {
    fn drop(&mut self) {
        self.done();
    }
}

impl fmt::Debug for Macrotask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Macrotask").finish_non_exhaustive()
    }
}
