//! The turns of the event loop, which the VMs of a page share.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;

use super::Timeout;

/// Tracks when the event loop began to wait, whichever VM keeps it. Each VM has an instance of its own, so JS keeps the time for all of them.
pub struct Turns {
    shared: Option<Shared>,
    /// When the event loop began to wait, as far as this VM knows; none if it has had control since.
    since: Rc<Cell<Option<f64>>>,
    /// Clears `since` once the event loop has had control: called by JS, or by a timer where nothing is shared.
    on_control: Closure<dyn Fn()>,
    has_control: Timeout,
}

/// The functions of js/turns.ts.
#[derive(Clone, Debug)]
pub struct Shared {
    begin: Function,
    begin_task: Function,
}

impl Shared {
    /// Reads them from the object that has them.
    #[must_use]
    pub fn new(turns: &JsValue) -> Option<Self> {
        let function = |name: &str| Reflect::get(turns, &name.into()).ok()?.dyn_into().ok();
        Some(Self { begin: function("begin")?, begin_task: function("beginTask")? })
    }
}

impl Turns {
    /// Returns the turns of a VM; without `shared` it shares them with no other.
    #[must_use]
    pub fn new(shared: Option<Shared>) -> Self {
        let since: Rc<Cell<Option<f64>>> = Rc::default();
        let clear = |since: &Rc<Cell<Option<f64>>>| {
            let since = since.clone();
            move || since.set(None)
        };
        Self { shared, on_control: Closure::new(clear(&since)), has_control: Timeout::new(clear(&since)), since }
    }

    /// Returns when the event loop began to wait; none if it has had control since the last [`begin`](Self::begin).
    #[must_use]
    pub fn since(&self) -> Option<f64> {
        self.since.get()
    }

    /// Notes that the event loop waits from `now` on, in milliseconds. Returns when it began to wait, which may be earlier for another VM.
    #[must_use]
    pub fn begin(&self, now: f64) -> f64 {
        let Some(shared) = &self.shared else {
            self.since.set(Some(now));
            self.has_control.arm(now);
            return now;
        };
        let since = shared.begin.call2(&JsValue::UNDEFINED, &now.into(), self.on_control.as_ref());
        // It throws only near the end of the stack, and nothing is noted then.
        let since = since.ok().and_then(|since| since.as_f64());
        self.since.set(since);
        since.unwrap_or(now)
    }

    /// Does the same as [`begin`](Self::begin) in a task of the VM's own, before which the event loop had control. Returns whether the VM may begin: false if timers
    /// have waited too long.
    #[must_use]
    pub fn begin_task(&self, now: f64) -> bool {
        let Some(shared) = &self.shared else {
            let _ = self.begin(now);
            return true;
        };
        let may_begin = shared.begin_task.call2(&JsValue::UNDEFINED, &now.into(), self.on_control.as_ref());
        let may_begin = may_begin.map_or(true, |may_begin| may_begin.is_truthy());
        self.since.set(may_begin.then_some(now));
        may_begin
    }

    /// Stops waiting for control.
    pub fn stop(&self) {
        self.has_control.disarm();
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").field("since", &self.since).finish_non_exhaustive()
    }
}
