//! Drives the scheduler from JS: runs its turns, arms the one timer, and lets the page breathe in between.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use crate::host::frames::Frames;
use crate::host::{self, Macrotask, Timeout};
use crate::scheduler::{Next, Scheduler};

/// How long threads run one after the other before the page gets its turn, in milliseconds: half of a frame.
const SLICE: f64 = 8.0;

/// How long nothing is done for a page that could not draw, in milliseconds: what browsers make of any shorter time-out that was
/// armed in another one.
const REST: f64 = 4.0;

/// The pump of one VM.
pub struct Pump {
    lua: Lua,
    scheduler: Scheduler,
    /// Called whenever nothing is left to do until an event or the time of a timer comes.
    on_rest: Box<dyn Fn()>,
    timeout: Timeout,
    /// When that fires, in milliseconds, while it is armed for a timer.
    due: Cell<Option<f64>>,
    macrotask: Macrotask,
    frames: Frames,
    stopped: Cell<bool>,
}

impl Pump {
    /// The pump for `scheduler`, whose events start it from now on.
    #[must_use]
    pub fn new(lua: &Lua, scheduler: &Scheduler, on_rest: impl Fn() + 'static) -> Rc<Self> {
        let pump = Rc::new_cyclic(|weak: &Weak<Self>| {
            let (of_timeout, of_macrotask) = (weak.clone(), weak.clone());
            Self {
                lua: lua.clone(),
                scheduler: scheduler.clone(),
                on_rest: Box::new(on_rest),
                timeout: Timeout::new(move || {
                    if let Some(pump) = of_timeout.upgrade() {
                        pump.due.set(None);
                        pump.turn();
                    }
                }),
                due: Cell::default(),
                macrotask: Macrotask::new(move || {
                    if let Some(pump) = of_macrotask.upgrade() {
                        pump.macrotask.done();
                        pump.turn();
                    }
                }),
                frames: Frames::new(),
                stopped: Cell::new(false),
            }
        });
        let of_events = Rc::downgrade(&pump);
        scheduler.set_driver(Rc::new(move || {
            if let Some(pump) = of_events.upgrade() {
                pump.turn();
            }
        }));
        pump
    }

    /// Takes note of timers that were made outside of a turn.
    pub fn wake_for_timers(&self) {
        if !self.stopped.get() {
            self.arm(self.scheduler.next());
        }
    }

    /// Runs nothing any more.
    pub fn stop(&self) {
        self.stopped.set(true);
        self.disarm();
        self.macrotask.done();
    }

    fn turn(&self) {
        if self.stopped.get() {
            return;
        }
        let next = self.scheduler.turn(&self.lua, |lasted| self.stopped.get() || lasted >= SLICE);
        // The page may have disposed the VM from inside the turn.
        if self.stopped.get() {
            return;
        }
        self.arm(next);
        if next != Next::Now {
            (self.on_rest)();
        }
    }

    fn disarm(&self) {
        self.due.set(None);
        self.timeout.disarm();
    }

    fn arm(&self, next: Next) {
        match next {
            Next::Idle => self.disarm(),
            // One that fires early arms itself anew; to do that for each message whose reader waits with a time-out would cost more.
            Next::At(time) if self.due.get().is_some_and(|due| due <= time) => {}
            Next::At(time) => {
                let is_armed = self.timeout.arm(time - host::now());
                self.due.set(is_armed.then_some(time));
            }
            Next::Now => {
                self.disarm();
                if self.frames.are_overdue(host::now()) {
                    self.timeout.arm(REST);
                } else if !self.macrotask.request() {
                    self.timeout.arm(0.0);
                }
            }
        }
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}
