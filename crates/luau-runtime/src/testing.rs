//! A VM with a clock that the test controls. For the tests in `tests/native` and for the fuzzers.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test may panic")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::error::ScriptError;
use crate::function::FunctionBuilder;
use crate::scheduler::{Limits, Next, Scheduler};
use crate::signal::{self, Signal, SignalUserData};
use crate::{json, task};
use mlua::prelude::*;

/// A VM with `task`, `json`, signals, and a function `log`.
pub struct World {
    /// The VM.
    pub lua: Lua,
    /// Its scheduler.
    pub scheduler: Scheduler,
    /// The time in milliseconds.
    pub clock: Rc<Cell<f64>>,
    /// The milliseconds that pass whenever the clock is read.
    tick: Rc<Cell<f64>>,
    log: Rc<RefCell<Vec<String>>>,
    errors: Rc<RefCell<Vec<ScriptError>>>,
    /// True if all garbage is collected after every turn, to reveal uses of freed memory.
    collects: bool,
}

impl World {
    /// Creates the VM, at time 0.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "`World::new` is what tests read best")]
    pub fn new() -> Self {
        let lua = Lua::new();
        let clock = Rc::new(Cell::new(0.0));
        let errors: Rc<RefCell<Vec<ScriptError>>> = Rc::default();
        let tick = Rc::new(Cell::new(0.0));
        let scheduler = {
            let (clock, tick, errors) = (clock.clone(), tick.clone(), errors.clone());
            let read = move || clock.replace(clock.get() + tick.get());
            Scheduler::new(read, move |error| errors.borrow_mut().push(error))
        };
        let builder = FunctionBuilder::new(&lua, &scheduler).unwrap();
        json::install(&lua, &builder).unwrap();
        task::install(&lua, &builder, &scheduler).unwrap();
        signal::install::<()>(&lua, &builder).unwrap();

        let log: Rc<RefCell<Vec<String>>> = Rc::default();
        let write = {
            let log = log.clone();
            lua.create_function(move |_, values: LuaMultiValue| {
                let texts: Vec<String> = values.iter().map(|value| value.to_string().unwrap()).collect();
                log.borrow_mut().push(texts.join(" "));
                Ok(())
            })
        };
        lua.globals().set("log", write.unwrap()).unwrap();
        lua.sandbox(true).unwrap();
        let collects = std::env::var_os("LUAU_TEST_COLLECT").is_some();
        Self { lua, scheduler, clock, tick, log, errors, collects }
    }

    /// Starts a script as a thread, which runs in the next turn.
    #[allow(clippy::must_use_candidate, reason = "most tests only look at the log")]
    pub fn start(&self, source: &str) -> LuaThread {
        let function = self.lua.load(source).set_name("=script").into_function().unwrap();
        let thread = self.lua.create_thread(function).unwrap();
        self.scheduler.resume(thread.clone(), LuaMultiValue::new());
        thread
    }

    /// Runs what is due now.
    #[allow(clippy::must_use_candidate, reason = "most tests run until nothing is due")]
    pub fn turn(&self) -> Next {
        self.turn_until(|| false)
    }

    /// Runs what is due now, until `out_of_time` returns true.
    pub fn turn_until(&self, mut out_of_time: impl FnMut() -> bool) -> Next {
        let next = self.scheduler.turn(&self.lua, None, |_| out_of_time());
        if self.collects {
            self.lua.gc_collect().unwrap();
            // The collection may have made more work ready.
            return self.scheduler.next();
        }
        next
    }

    /// Advances the clock to a time, in milliseconds, stopping whenever something is due.
    #[allow(clippy::must_use_candidate, reason = "most tests only look at the log")]
    pub fn pass_to(&self, time: f64) -> Next {
        loop {
            match self.turn() {
                Next::Now => {}
                Next::At(due) if due <= time => self.clock.set(due),
                next => {
                    self.clock.set(time);
                    return next;
                }
            }
        }
    }

    /// Sets the milliseconds that pass whenever the clock is read, and the limits of threads.
    pub fn limit(&self, tick: f64, limits: Limits) {
        self.tick.set(tick);
        self.scheduler.set_limits(&self.lua, limits).unwrap();
    }

    /// Sets the clock without running anything, as if the host had been busy.
    pub fn jump_to(&self, time: f64) {
        self.clock.set(time);
    }

    /// Runs a script and everything that follows from it.
    pub fn run(&self, source: &str) {
        self.start(source);
        self.pass_to(1e9);
    }

    /// Runs a script and everything that follows from it in a new world, and returns the log. No thread may fail.
    #[must_use]
    pub fn logged(source: &str) -> Vec<String> {
        let world = Self::new();
        world.run(source);
        assert_eq!(world.errors(), [""; 0]);
        world.log()
    }

    /// Takes the log since the last call.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.take()
    }

    /// Takes the messages of the errors with which threads ended since the last call.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        self.errors.take().into_iter().map(|error| error.message).collect()
    }

    /// Takes the errors with which threads ended since the last call.
    #[must_use]
    pub fn whole_errors(&self) -> Vec<ScriptError> {
        self.errors.take()
    }

    /// Creates a signal as the global `name`.
    #[must_use]
    pub fn signal(&self, name: &str) -> Signal {
        let signal = Signal::new(&self.scheduler);
        let userdata = self.lua.create_any_userdata(SignalUserData { signal: signal.clone(), owner: () }).unwrap();
        self.lua.globals().set(name, userdata).unwrap();
        signal
    }

    /// Fires a signal like an external event, and runs the cycle.
    pub fn fire(&self, signal: &Signal, values: impl IntoLuaMulti) {
        let (signal, values) = (signal.clone(), values.into_lua_multi(&self.lua).unwrap());
        self.scheduler.dispatch(move |_| signal.fire(values));
        while self.turn() == Next::Now {}
    }
}
