//! Drives the scheduler from JS: runs its turns, arms the one timer, and lets the page breathe in between.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use crate::host::frames::Frames;
use crate::host::turns::{Shared, Turns};
use crate::host::{self, Macrotask, Timeout};
use crate::scheduler::{Next, Scheduler, Urgency};

/// How long threads run before the event loop gets control, in milliseconds: half of a frame. All events since it last had control count
/// together, because settled promises run as microtasks, and the event loop waits for all of those.
const SLICE: f64 = 8.0;

/// The number of events between two readings of the clock. A reading takes about a fifth of the time of a short event.
const MAX_UNSEEN: u32 = 8;

/// The time that the event loop may have waited for a run to start at once, as hosts expect, in milliseconds. After that it is postponed.
const MAX_BEFORE_RUNS: f64 = 100.0;

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
    turns: Turns,
    /// The number of events since the clock was last read.
    unseen: Cell<u32>,
    /// True while a turn is postponed until the event loop has had control.
    is_postponed: Cell<bool>,
    stopped: Cell<bool>,
}

impl Pump {
    /// The pump for `scheduler`, whose events start it from now on.
    #[must_use]
    pub fn new(lua: &Lua, scheduler: &Scheduler, turns: Option<Shared>, on_rest: impl Fn() + 'static) -> Rc<Self> {
        let pump = Rc::new_cyclic(|weak: &Weak<Self>| {
            let (of_timeout, of_macrotask) = (weak.clone(), weak.clone());
            Self {
                lua: lua.clone(),
                scheduler: scheduler.clone(),
                on_rest: Box::new(on_rest),
                timeout: Timeout::new(move || {
                    if let Some(pump) = of_timeout.upgrade() {
                        pump.task();
                    }
                }),
                macrotask: Macrotask::new(move || {
                    if let Some(pump) = of_macrotask.upgrade() {
                        pump.macrotask.done();
                        pump.task();
                    }
                }),
                frames: Frames::new(),
                turns: Turns::new(turns),
                unseen: Cell::default(),
                is_postponed: Cell::new(false),
                stopped: Cell::new(false),
            }
        });
        let of_events = Rc::downgrade(&pump);
        scheduler.set_driver(Rc::new(move |urgency| {
            if let Some(pump) = of_events.upgrade() {
                pump.event(urgency);
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
        self.timeout.disarm();
        self.macrotask.done();
        self.turns.stop();
    }

    /// Runs a turn in a task of its own, before which the event loop had control.
    fn task(&self) {
        let now = host::now();
        self.unseen.set(0);
        if self.turns.begin_task(now) {
            self.turn(Some(now));
        } else {
            // The timers that are due come before this one.
            self.timeout.arm(now);
        }
    }

    /// Runs a turn for an event, or postpones it. The event may be a task or a microtask: JS offers no way to tell.
    fn event(&self, urgency: Urgency) {
        if self.stopped.get() {
            return;
        }
        if urgency == Urgency::AtOnce {
            return self.turn(None);
        }
        if self.is_postponed.get() {
            return;
        }
        let since = self.turns.since();
        if let Some(since) = since
            && urgency == Urgency::CanWait
            && self.unseen.get() < MAX_UNSEEN
            && !self.scheduler.has_run_long()
        {
            self.unseen.set(self.unseen.get() + 1);
            return self.turn(Some(since));
        }
        self.unseen.set(0);
        let now = host::now();
        let since = since.unwrap_or_else(|| self.turns.begin(now));
        let most = if urgency == Urgency::AfterWork { MAX_BEFORE_RUNS } else { SLICE };
        if now - since < most {
            self.turn(Some(since));
        } else {
            self.is_postponed.set(true);
            self.arm(Next::Now);
        }
    }

    fn turn(&self, waiting_since: Option<f64>) {
        if self.stopped.get() {
            return;
        }
        self.is_postponed.set(false);
        let next = self.scheduler.turn(&self.lua, waiting_since, |lasted| self.stopped.get() || lasted >= SLICE);
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

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}
