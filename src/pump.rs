//! Drives the scheduler from JS: runs its turns, arms the one timer, and lets the page breathe in between.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use crate::host::{self, Macrotask, Timeout};
use crate::scheduler::{Next, Scheduler};

/// How long threads run one after the other before the page gets its turn, in milliseconds: half of a frame.
const SLICE: f64 = 8.0;

/// The pump of one VM.
pub struct Pump {
    lua: Lua,
    scheduler: Scheduler,
    /// Called whenever nothing is left to do until an event comes.
    on_idle: Box<dyn Fn()>,
    timeout: RefCell<Timeout>,
    macrotask: RefCell<Macrotask>,
    stopped: Cell<bool>,
    /// So that an event from inside a turn, by way of a function of the page, does not begin another.
    turning: Cell<bool>,
}

impl Pump {
    /// The pump for `scheduler`, whose events start it from now on.
    #[must_use]
    pub fn new(lua: &Lua, scheduler: &Scheduler, on_idle: impl Fn() + 'static) -> Rc<Self> {
        let pump = Rc::new_cyclic(|weak: &Weak<Self>| {
            let (of_timeout, of_macrotask) = (weak.clone(), weak.clone());
            Self {
                lua: lua.clone(),
                scheduler: scheduler.clone(),
                on_idle: Box::new(on_idle),
                timeout: RefCell::new(Timeout::new(move || run(&of_timeout))),
                macrotask: RefCell::new(Macrotask::new(move || {
                    if let Some(pump) = of_macrotask.upgrade() {
                        pump.macrotask.borrow_mut().done();
                    }
                    run(&of_macrotask);
                })),
                stopped: Cell::new(false),
                turning: Cell::new(false),
            }
        });
        let of_events = Rc::downgrade(&pump);
        scheduler.set_driver(Rc::new(move || run(&of_events)));
        pump
    }

    /// Runs nothing any more.
    pub fn stop(&self) {
        self.stopped.set(true);
        self.timeout.borrow_mut().disarm();
        self.macrotask.borrow_mut().done();
    }

    fn turn(&self) {
        if self.stopped.get() || self.turning.replace(true) {
            return;
        }
        let began = host::now();
        let next = self.scheduler.turn(&self.lua, || self.stopped.get() || host::now() - began >= SLICE);
        self.turning.set(false);
        // The page may have disposed the VM from inside the turn.
        if !self.stopped.get() {
            self.arm(next);
        }
    }

    fn arm(&self, next: Next) {
        match next {
            Next::Idle => {
                self.timeout.borrow_mut().disarm();
                (self.on_idle)();
            }
            Next::At(time) => self.timeout.borrow_mut().arm(time - host::now()),
            Next::Now => {
                self.timeout.borrow_mut().disarm();
                if !self.macrotask.borrow_mut().request() {
                    self.timeout.borrow_mut().arm(0.0);
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
