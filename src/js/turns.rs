//! The turns of the event loop, which all VMs of a page share.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;

use super::Timeout;

/// A tracker for the time when the event loop began to wait for any VM. Each VM has an instance of its own, so JS keeps the time for all of
/// them.
pub(crate) struct Turns {
    shared: Option<SharedTurns>,
    /// The time when the event loop began to wait, as far as this VM knows, or none if it has had control since.
    since: Rc<Cell<Option<f64>>>,
    /// Clears `since` once the event loop has had control. Called by JS, or by a timer if nothing is shared.
    on_control: Closure<dyn Fn()>,
    has_control: Timeout,
}

/// The functions of js/turns.ts.
#[derive(Clone, Debug)]
pub(crate) struct SharedTurns {
    begin: Function,
    begin_task: Function,
}

impl SharedTurns {
    /// Reads the functions from an object.
    #[must_use]
    pub(crate) fn new(turns: &JsValue) -> Option<Self> {
        let function = |name: &str| Reflect::get(turns, &name.into()).ok()?.dyn_into().ok();
        Some(Self { begin: function("begin")?, begin_task: function("beginTask")? })
    }
}

impl Turns {
    /// Creates the turns of a VM. Without `shared`, they are not shared with other VMs.
    #[must_use]
    pub(crate) fn new(shared: Option<SharedTurns>) -> Self {
        let since: Rc<Cell<Option<f64>>> = Rc::default();
        let clear = |since: &Rc<Cell<Option<f64>>>| {
            let since = since.clone();
            move || since.set(None)
        };
        Self { shared, on_control: Closure::new(clear(&since)), has_control: Timeout::new(clear(&since)), since }
    }

    /// Returns the time when the event loop began to wait, or none if it has had control since the last [`begin`](Self::begin).
    #[must_use]
    pub(crate) fn since(&self) -> Option<f64> {
        self.since.get()
    }

    /// Notes that the event loop waits from `now`, in milliseconds. Returns the time when it began to wait, which may be earlier because of
    /// another VM.
    #[must_use]
    pub(crate) fn begin(&self, now: f64) -> f64 {
        let Some(shared) = &self.shared else {
            self.since.set(Some(now));
            self.has_control.arm(now);
            return now;
        };
        let since = shared.begin.call2(&JsValue::UNDEFINED, &now.into(), self.on_control.as_ref());
        // It throws only near the end of the stack. Then nothing is noted.
        let since = since.ok().and_then(|since| since.as_f64());
        self.since.set(since);
        since.unwrap_or(now)
    }

    /// Does the same as [`begin`](Self::begin) in a task of the VM's own, before which the event loop had control. Returns false if the VM
    /// must not begin, because timers have waited too long.
    #[must_use]
    pub(crate) fn begin_task(&self, now: f64) -> bool {
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
    pub(crate) fn stop(&self) {
        self.has_control.disarm();
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").field("since", &self.since).finish_non_exhaustive()
    }
}
