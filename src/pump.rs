//! Drives the scheduler from JS: runs its turns, arms the one timer, and lets the page breathe in between.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use crate::host::frames::Frames;
use crate::host::{self, Macrotask, Timeout};
use crate::scheduler::{Next, Scheduler, Urgency};

/// How long threads run before the page gets its turn, in milliseconds: half of a frame. It does not matter how many events woke them:
/// those of promises are microtasks, and as long as there is one the event loop does nothing else.
const SLICE: f64 = 8.0;

/// So many events may come from one look at the clock to the next, which takes as long as a fifth of what most of them do.
const MOST_UNSEEN: u32 = 8;

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
    /// Since when the page waits for its turn, if it does as far as is known here.
    waiting_since: Rc<Cell<Option<f64>>>,
    /// How many events have come since the clock was looked at.
    unseen: Cell<u32>,
    /// Fires when it has had its turn.
    has_had_turn: Timeout,
    /// Whether a turn was put off until then.
    is_put_off: Cell<bool>,
    stopped: Cell<bool>,
}

impl Pump {
    /// The pump for `scheduler`, whose events start it from now on.
    #[must_use]
    pub fn new(lua: &Lua, scheduler: &Scheduler, on_rest: impl Fn() + 'static) -> Rc<Self> {
        let pump = Rc::new_cyclic(|weak: &Weak<Self>| {
            let (of_timeout, of_macrotask) = (weak.clone(), weak.clone());
            let waiting_since: Rc<Cell<Option<f64>>> = Rc::default();
            let of_turn = waiting_since.clone();
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
                waiting_since,
                unseen: Cell::default(),
                has_had_turn: Timeout::new(move || of_turn.set(None)),
                is_put_off: Cell::new(false),
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
        self.has_had_turn.disarm();
    }

    /// A task of our own: the page has had its turn.
    fn task(&self) {
        self.waiting_since.set(None);
        self.turn(None);
    }

    /// An event that may have come in a task or a microtask; nothing tells which.
    fn event(&self, urgency: Urgency) {
        if self.stopped.get() {
            return;
        }
        if urgency == Urgency::AtOnce {
            return self.turn(None);
        }
        if self.is_put_off.get() {
            return;
        }
        let Some(since) = self.waiting_since.get() else {
            let now = host::now();
            self.waiting_since.set(Some(now));
            self.unseen.set(0);
            self.has_had_turn.arm(now);
            return self.turn(Some(now));
        };
        let unseen = self.unseen.replace(self.unseen.get() + 1);
        if unseen < MOST_UNSEEN && !self.scheduler.has_run_long() {
            return self.turn(Some(since));
        }
        self.unseen.set(0);
        if host::now() - since < SLICE {
            self.turn(Some(since));
        } else {
            self.is_put_off.set(true);
            self.arm(Next::Now);
        }
    }

    fn turn(&self, waiting_since: Option<f64>) {
        if self.stopped.get() {
            return;
        }
        self.is_put_off.set(false);
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
