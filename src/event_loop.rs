//! Drives the scheduler from JS: runs its turns, arms the only timer, and gives the event loop control in between.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use crate::js::frames::Frames;
use crate::js::turns::{SharedTurns, Turns};
use crate::js::{self, Macrotask, Timeout};
use luau_runtime::scheduler::{Next, Scheduler, Urgency};

/// The time that threads run before the event loop gets control, in milliseconds. It is half of a frame. All events since the event loop
/// last had control count together, because settled promises run as microtasks, and the event loop waits for all of those.
const SLICE_MS: f64 = 8.0;

/// The maximum number of events between two clock readings. A reading takes about a fifth of the time of a short event.
const MAX_UNTIMED_EVENTS: u32 = 8;

/// The maximum wait of the event loop for which a run still starts at once, as hosts expect, in milliseconds. After a longer wait the run
/// is postponed.
const MAX_BEFORE_RUNS_MS: f64 = 100.0;

/// The pause for a page that could not draw, in milliseconds. Browsers extend shorter nested timeouts to this length.
const REST_MS: f64 = 4.0;

/// The event loop of one VM.
pub(crate) struct EventLoop {
    lua: Lua,
    scheduler: Scheduler,
    /// Called whenever nothing is left to do until an event arrives or a timer is due.
    on_rest: Box<dyn Fn()>,
    timeout: Timeout,
    macrotask: Macrotask,
    frames: Frames,
    turns: Turns,
    /// The number of events since the clock was last read.
    untimed_events: Cell<u32>,
    /// True while a turn is postponed until the event loop has had control.
    is_postponed: Cell<bool>,
    stopped: Cell<bool>,
}

impl EventLoop {
    /// Creates the event loop for `scheduler`, whose events drive it from now on.
    #[must_use]
    pub(crate) fn new(
        lua: &Lua,
        scheduler: &Scheduler,
        turns: Option<SharedTurns>,
        on_rest: impl Fn() + 'static,
    ) -> Rc<Self> {
        let event_loop = Rc::new_cyclic(|weak: &Weak<Self>| {
            let timeout = {
                let event_loop = weak.clone();
                Timeout::new(move || {
                    if let Some(event_loop) = event_loop.upgrade() {
                        event_loop.task();
                    }
                })
            };
            let macrotask = {
                let event_loop = weak.clone();
                Macrotask::new(move || {
                    if let Some(event_loop) = event_loop.upgrade() {
                        event_loop.macrotask.done();
                        event_loop.task();
                    }
                })
            };
            Self {
                lua: lua.clone(),
                scheduler: scheduler.clone(),
                on_rest: Box::new(on_rest),
                timeout,
                macrotask,
                frames: Frames::new(),
                turns: Turns::new(turns),
                untimed_events: Cell::default(),
                is_postponed: Cell::new(false),
                stopped: Cell::new(false),
            }
        });
        {
            let event_loop = Rc::downgrade(&event_loop);
            scheduler.set_driver(Rc::new(move |urgency| {
                if let Some(event_loop) = event_loop.upgrade() {
                    event_loop.event(urgency);
                }
            }));
        }
        event_loop
    }

    /// Arms the timeout for timers that were created outside a turn.
    pub(crate) fn wake_for_timers(&self) {
        if !self.stopped.get() {
            self.arm(self.scheduler.next());
        }
    }

    /// Stops the event loop for good.
    pub(crate) fn stop(&self) {
        self.stopped.set(true);
        self.timeout.disarm();
        self.macrotask.done();
        self.turns.stop();
    }

    /// Runs a turn in a task of its own. The event loop had control before.
    fn task(&self) {
        let now = js::now();
        self.untimed_events.set(0);
        if self.turns.begin_task(now) {
            self.turn(Some(now));
        } else {
            // Other due timers come first.
            self.timeout.arm(now);
        }
    }

    /// Runs a turn for an event, or postpones it. The event may be a task or a microtask; JS cannot tell which.
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
            && self.untimed_events.get() < MAX_UNTIMED_EVENTS
            && !self.scheduler.has_run_long()
        {
            self.untimed_events.set(self.untimed_events.get() + 1);
            return self.turn(Some(since));
        }
        self.untimed_events.set(0);
        let now = js::now();
        let since = since.unwrap_or_else(|| self.turns.begin(now));
        let max = if urgency == Urgency::AfterWork { MAX_BEFORE_RUNS_MS } else { SLICE_MS };
        if now - since < max {
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
        let next = self.scheduler.turn(&self.lua, waiting_since, |elapsed| self.stopped.get() || elapsed >= SLICE_MS);
        // The host may have disposed the VM during the turn.
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
                let now = js::now();
                if self.frames.are_overdue(now) {
                    self.timeout.arm(now + REST_MS);
                } else if !self.macrotask.request() {
                    self.timeout.arm(now);
                }
            }
        }
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}
