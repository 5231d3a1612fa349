//! When a VM rests, and how it ends.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::{Machine, Threads};
use crate::error::{Kind, ScriptError};
use crate::scheduler::Urgency;

/// How long after the last thread ran the collector is asked for connections that no script can reach, in milliseconds.
const SEARCH_AFTER: f64 = 1_000.0;

impl Machine {
    /// What is to be done when the scheduler has nothing to do for now.
    pub(super) fn rest(self: &Rc<Self>) {
        self.tell_idlers();
        self.end_if_idle();
        let has_searched = self.searched_at.get() == Some(self.scheduler.resumptions());
        if !has_searched && self.sockets.has_unheard() && self.search.borrow().is_none() {
            let machine = Rc::downgrade(self);
            let timer = self.scheduler.timer(SEARCH_AFTER, move || {
                if let Some(machine) = machine.upgrade() {
                    machine.search_unreachable();
                }
            });
            self.search.replace(Some(timer));
            self.pump.wake_for_timers();
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.scheduler.is_busy() && self.sockets.count() == 0
    }

    fn tell_idlers(&self) {
        if !self.idlers.borrow().is_empty() && self.is_idle() {
            for idler in self.idlers.take() {
                idler.settle(Ok(JsValue::UNDEFINED));
            }
        }
    }

    /// Has the collector find the connections that no script can reach: a script that waits makes no garbage, so it
    /// would not come round by itself.
    fn search_unreachable(&self) {
        let timer = self.search.take();
        drop(timer);
        self.searched_at.set(Some(self.scheduler.resumptions()));
        // Once to end the cycle that is under way, once for the connections, and once for their signals, which a weak
        // table holds as long as the connection. It fails when a finalizer does, and ours do not.
        for _ in 0..3 {
            let _ = self.lua.gc_collect();
        }
    }

    /// The page does not hold the VM any more, and did not dispose it.
    pub(in crate::vm) fn let_go(self: Rc<Self>) {
        self.kept.replace(Some(self.clone()));
        self.end_if_idle();
    }

    /// Ends a VM that the page has let go of, once nothing is left that could call into it: no thread, timer or socket, and
    /// no function of a script that the page holds.
    fn end_if_idle(&self) {
        let is_idle = self.scheduler.is_idle() && self.sockets.count() == 0 && !self.converter.is_held();
        if is_idle && self.kept.borrow().is_some() {
            self.dispose();
        }
    }

    pub(in crate::vm) fn stop(&self) {
        let error = ScriptError::plain(Kind::Cancelled, "the VM was stopped");
        self.sockets.close_all();
        self.modules.stop();
        self.converter.with_common_error(&error, || self.scheduler.clear(&self.lua, &error));
        self.scheduler.end_running(&self.lua, Kind::Cancelled, &error.message);
        self.runs.take();
        let search = self.search.take();
        drop(search);
        // A turn, for those who wait for the VM to be idle.
        self.scheduler.notify(Urgency::AtOnce, || {});
    }

    pub(in crate::vm) fn dispose(&self) {
        if self.is_disposed.replace(true) {
            return;
        }
        let error = Threads::disposed();
        self.pump.stop();
        self.sockets.end();
        self.converter.with_common_error(&error, || self.scheduler.clear(&self.lua, &error));
        self.scheduler.end_running(&self.lua, Kind::Disposed, &error.message);
        self.runs.take();
        for idler in self.idlers.take() {
            idler.settle(Err(self.error_to_js(&error)));
        }
        let (kept, search) = (self.kept.take(), self.search.take());
        drop((kept, search));
        self.hooks.end(&self.error_to_js(&error));
    }
}
