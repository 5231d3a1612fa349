//! A VM with a scheduler, a clock that stands still until it is turned, and a list of what scripts logged.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use luau_websocket::bind::Binder;
use luau_websocket::error::ScriptError;
use luau_websocket::scheduler::{Limits, Next, Scheduler};
use luau_websocket::signal::{self, Signal, SignalUserData};
use luau_websocket::{json, task};
use mlua::prelude::*;

pub(crate) struct World {
    pub lua: Lua,
    pub scheduler: Scheduler,
    pub clock: Rc<Cell<f64>>,
    tick: Rc<Cell<f64>>,
    log: Rc<RefCell<Vec<String>>>,
    errors: Rc<RefCell<Vec<ScriptError>>>,
    /// Whether all garbage is collected after every turn.
    collects: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        let lua = Lua::new();
        let clock = Rc::new(Cell::new(0.0));
        let errors: Rc<RefCell<Vec<ScriptError>>> = Rc::default();
        let (of_clock, of_errors) = (clock.clone(), errors.clone());
        let tick = Rc::new(Cell::new(0.0));
        let of_tick = tick.clone();
        let read = move || of_clock.replace(of_clock.get() + of_tick.get());
        let scheduler = Scheduler::new(read, move |error| of_errors.borrow_mut().push(error));
        let binder = Binder::new(&lua, &scheduler).unwrap();
        json::install(&lua, &binder).unwrap();
        task::install(&lua, &binder, &scheduler).unwrap();
        signal::install::<()>(&lua, &binder).unwrap();

        let log: Rc<RefCell<Vec<String>>> = Rc::default();
        let of_log = log.clone();
        let write = lua.create_function(move |_, values: LuaMultiValue| {
            let texts: Vec<String> = values.iter().map(|value| value.to_string().unwrap()).collect();
            of_log.borrow_mut().push(texts.join(" "));
            Ok(())
        });
        lua.globals().set("log", write.unwrap()).unwrap();
        lua.sandbox(true).unwrap();
        let collects = std::env::var_os("LUAU_TEST_COLLECT").is_some();
        Self { lua, scheduler, clock, tick, log, errors, collects }
    }

    /// Starts a script as a thread, which runs in the next turn.
    pub(crate) fn start(&self, source: &str) -> LuaThread {
        let function = self.lua.load(source).set_name("=script").into_function().unwrap();
        let thread = self.lua.create_thread(function).unwrap();
        self.scheduler.resume(thread.clone(), LuaMultiValue::new());
        thread
    }

    /// Runs what is due now.
    pub(crate) fn turn(&self) -> Next {
        self.turn_until(|| false)
    }

    /// Runs what is due now, unless time runs out; and then all garbage goes, where the tests look for memory that is used
    /// after its end.
    pub(crate) fn turn_until(&self, mut out_of_time: impl FnMut() -> bool) -> Next {
        let next = self.scheduler.turn(&self.lua, None, |_| out_of_time());
        if self.collects {
            self.lua.gc_collect().unwrap();
            // What was collected may have left something to do.
            return self.scheduler.next();
        }
        next
    }

    /// Turns the clock to a time, in milliseconds, stopping wherever something is due.
    pub(crate) fn pass_to(&self, time: f64) -> Next {
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

    /// From now on the clock goes on by so many milliseconds whenever it is looked at, and threads have these limits.
    pub(crate) fn limit(&self, tick: f64, limits: Limits) {
        self.tick.set(tick);
        self.scheduler.set_limits(&self.lua, limits).unwrap();
    }

    /// Turns the clock without running anything: a page that was busy.
    pub(crate) fn jump_to(&self, time: f64) {
        self.clock.set(time);
    }

    /// Runs a script and all that follows from it.
    pub(crate) fn run(&self, source: &str) {
        self.start(source);
        self.pass_to(1e9);
    }

    /// What a script logs that runs, with all that follows from it, without an error.
    pub(crate) fn logged(source: &str) -> Vec<String> {
        let world = Self::new();
        world.run(source);
        assert_eq!(world.errors(), [""; 0]);
        world.log()
    }

    /// What was logged since this was last asked.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.take()
    }

    /// The messages of the errors that reached the sink since this was last asked.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.errors.take().into_iter().map(|error| error.message).collect()
    }

    /// The errors themselves.
    pub(crate) fn whole_errors(&self) -> Vec<ScriptError> {
        self.errors.take()
    }

    /// A signal that scripts know by `name`.
    pub(crate) fn signal(&self, name: &str) -> Signal {
        let signal = Signal::new(&self.scheduler);
        let userdata = self.lua.create_any_userdata(SignalUserData { signal: signal.clone(), owner: () }).unwrap();
        self.lua.globals().set(name, userdata).unwrap();
        signal
    }

    /// Fires a signal as an event from outside does, and runs its cycle.
    pub(crate) fn fire(&self, signal: &Signal, values: impl IntoLuaMulti) {
        let (signal, values) = (signal.clone(), values.into_lua_multi(&self.lua).unwrap());
        self.scheduler.dispatch(move |_| signal.fire(values));
        while self.turn() == Next::Now {}
    }
}
