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
                timeout: Timeout::new(move || run(&of_timeout)),
                macrotask: Macrotask::new(move || {
                    if let Some(pump) = of_macrotask.upgrade() {
                        pump.macrotask.done();
                    }
                    run(&of_macrotask);
                }),
                frames: Frames::new(),
                stopped: Cell::new(false),
            }
        });
        let of_events = Rc::downgrade(&pump);
        scheduler.set_driver(Rc::new(move || run(&of_events)));
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
        self.timeout.disarm();
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

    fn arm(&self, next: Next) {
        match next {
            Next::Idle => self.timeout.disarm(),
            Next::At(time) => self.timeout.arm(time),
            Next::Now => {
                self.timeout.disarm();
                let now = host::now();
                if self.frames.are_overdue(now) {
                    self.timeout.arm(now + REST);
                } else if !self.macrotask.request() {
                    self.timeout.arm(now);
                }
            }
        }
    }
}

fn run(pump: &Weak<Pump>) {
    if let Some(pump) = pump.upgrade() {
        pump.turn();
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}
