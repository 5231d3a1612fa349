//! Handles idle VMs, and ends VMs.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::{Threads, VmState};
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::scheduler::Urgency;

/// The time from the last thread's end to the search for connections that no script can reach, in milliseconds.
const SEARCH_AFTER_MS: f64 = 1_000.0;

impl VmState {
    /// Called when the scheduler has nothing to do for now.
    pub(super) fn rest(self: &Rc<Self>) {
        self.settle_idle_promises();
        self.end_if_idle();
        let has_searched = self.searched_at.get() == Some(self.scheduler.resumptions());
        if !has_searched && self.sockets.may_have_abandoned() && self.search.borrow().is_none() {
            let state = Rc::downgrade(self);
            let timer = self.scheduler.timer(SEARCH_AFTER_MS, move || {
                if let Some(state) = state.upgrade() {
                    state.search_unreachable();
                }
            });
            self.search.replace(Some(timer));
            self.event_loop.wake_for_timers();
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.scheduler.is_busy() && self.sockets.count() == 0
    }

    fn settle_idle_promises(&self) {
        if !self.idle_promises.borrow().is_empty() && self.is_idle() {
            for promise in self.idle_promises.take() {
                promise.settle(Ok(JsValue::UNDEFINED));
            }
        }
    }

    /// Runs the collector to find connections that no script can reach. A waiting script creates no garbage, so the collector would not run
    /// on its own.
    fn search_unreachable(&self) {
        let timer = self.search.take();
        drop(timer);
        self.searched_at.set(Some(self.scheduler.resumptions()));
        // Once to finish the current cycle, once for the connections, and once for their signals, which a weak table holds as long as the
        // connection. A collection fails only if a finalizer fails, and ours never do.
        for _ in 0..3 {
            let _ = self.lua.gc_collect();
        }
    }

    /// Called when the host has dropped the VM without disposing it.
    pub(in crate::vm) fn detach(self: Rc<Self>) {
        self.keep_alive.replace(Some(self.clone()));
        self.end_if_idle();
    }

    /// Ends a VM that the host has dropped, once nothing is left that could call into it: no thread, timer or socket, and no script
    /// function that the host holds.
    fn end_if_idle(&self) {
        let is_idle = self.scheduler.is_idle() && self.sockets.count() == 0 && !self.converter.is_held();
        if is_idle && self.keep_alive.borrow().is_some() {
            self.dispose();
        }
    }

    pub(in crate::vm) fn stop(&self) {
        let error = ScriptError::new(Kind::Cancelled, "the VM was stopped");
        self.sockets.close_all();
        self.modules.stop();
        self.converter.with_common_error(&error, || self.scheduler.clear(&self.lua, &error));
        self.scheduler.end_running(&self.lua, Kind::Cancelled, &error.message);
        let search = self.search.take();
        drop(search);
        // The turn settles the promises that wait for the VM to be idle.
        self.scheduler.request_turn(Urgency::AtOnce);
    }

    pub(in crate::vm) fn dispose(&self) {
        if self.is_disposed.replace(true) {
            return;
        }
        let error = Threads::disposed();
        self.event_loop.stop();
        self.sockets.end();
        self.converter.with_common_error(&error, || self.scheduler.clear(&self.lua, &error));
        self.scheduler.end_running(&self.lua, Kind::Disposed, &error.message);
        for promise in self.idle_promises.take() {
            promise.settle(Err(self.error_to_js(&error)));
        }
        let (keep_alive, search) = (self.keep_alive.take(), self.search.take());
        drop((keep_alive, search));
        self.hooks.end(&self.error_to_js(&error));
    }
}
