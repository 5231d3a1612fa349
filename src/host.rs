//! Everything that comes from JS: time, timers, macrotasks, sockets, and the page's own values and functions.
//!
//! Each is a value that owns what it holds on the JS side, and lets go of it when it is dropped: first the handlers are
//! detached, then their closures are freed, so that JS never calls a closure that is gone.
//!
//! An import that throws where it was not expected ends the whole instance. So whatever may run code of the page is
//! declared with `catch`.

pub(crate) mod date;
pub(crate) mod frames;
pub mod hooks;
pub mod modules;
pub mod options;
pub mod sink;
pub mod slots;
pub mod socket;
pub mod turns;
pub mod values;

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

    /// HTML, section 8.6. What it returns is a number in browsers and an object in Node.
    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(handler: &Function, milliseconds: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue) -> Result<(), JsValue>;
}

/// Milliseconds since the page, worker or process began; it never goes back.
#[must_use]
pub fn now() -> f64 {
    // Only a page that has put a broken clock in its place makes it fail.
    performance_now().unwrap_or_default()
}

/// The longest time-out that `setTimeout` takes: beyond it, it fires at once.
const LONGEST_TIMEOUT: f64 = 2_147_483_647.0;

/// One armed `setTimeout`, to be armed again and again with the same handler.
#[must_use = "a timeout that is dropped never fires"]
pub struct Timeout {
    handler: Closure<dyn Fn()>,
    /// When it fires, and what `setTimeout` returned, while it is armed.
    armed: Rc<RefCell<Option<(f64, JsValue)>>>,
}

impl Timeout {
    /// A time-out that calls `handler` whenever it was armed and its time has come.
    pub fn new(handler: impl Fn() + 'static) -> Self {
        let armed: Rc<RefCell<Option<_>>> = Rc::default();
        let of_handler = armed.clone();
        let handler = Closure::new(move || {
            of_handler.take();
            handler();
        });
        Self { handler, armed }
    }

    /// Calls the handler at a time as [`now`] tells it, in milliseconds, at the latest in 2^31 of them; or sooner, where it was armed
    /// for that: to arm it anew for each message whose reader waits with a time-out would cost more than to be called too early.
    pub fn arm(&self, time: f64) {
        if self.armed.borrow().as_ref().is_some_and(|(due, _)| *due <= time) {
            return;
        }
        self.disarm();
        // Rounded up: a time-out that fires a moment early would only have to be armed once more.
        let milliseconds = (time - now()).max(0.0).ceil().min(LONGEST_TIMEOUT);
        // What a page has put in its place may throw; then the next one tries it again.
        let id = set_timeout(self.handler.as_ref().unchecked_ref(), milliseconds).ok();
        self.armed.replace(id.map(|id| (time, id)));
    }

    /// Calls the handler no more, until it is armed again.
    pub fn disarm(&self) {
        let armed = self.armed.take();
        if let Some((_, id)) = armed {
            // A handler that comes too late finds nothing to do.
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

/// A task that runs as soon as the page had its turn, unlike a microtask and without the four milliseconds of a nested
/// `setTimeout`: a message to oneself (HTML, section 9.4.2).
#[must_use = "a macrotask that is dropped never runs"]
pub struct Macrotask {
    handler: Closure<dyn Fn()>,
    /// Open only while a message is under way: an open port would keep a Node program from ending.
    channel: Cell<Option<MessageChannel>>,
}

impl Macrotask {
    /// A macrotask that calls `handler` whenever it was requested. The handler has to call [`done`](Self::done).
    pub fn new(handler: impl Fn() + 'static) -> Self {
        Self { handler: Closure::new(handler), channel: Cell::default() }
    }

    /// Calls the handler soon, and takes back what was requested before.
    ///
    /// Returns whether that is possible: not where there is no `MessageChannel`.
    pub fn request(&self) -> bool {
        self.done();
        let Ok(channel) = MessageChannel::new() else { return false };
        channel.port1().set_onmessage(Some(self.handler.as_ref().unchecked_ref()));
        let is_sent = channel.port2().post_message(&JsValue::NULL).is_ok();
        self.channel.set(Some(channel));
        is_sent
    }

    /// Takes the request back, or notes that the handler was called.
    pub fn done(&self) {
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
