//! Runs a plan with the real scheduler.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use luau_runtime::call_error::CallError;
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::function::{Callee, FunctionBuilder};
use luau_runtime::scheduler::{Limits, Next, ResumeToken, Scheduler, Timer};
use luau_runtime::signal::Signal;
use mlua::prelude::*;

use super::View;
use super::plan::{Event, LIMIT, Plan, SIGNALS, SLICE, SLOTS, SPELL, TICK};
use luau_runtime::testing::World;

pub(super) struct Stage {
    world: World,
    threads: LuaTable,
    signals: Vec<Signal>,
    host: Rc<Host>,
}

/// A stand-in for the libraries and the host.
#[derive(Default)]
struct Host {
    notes: RefCell<Vec<String>>,
    tokens: RefCell<Vec<Option<ResumeToken>>>,
    timers: RefCell<Vec<Option<Timer>>>,
    timers_made: Cell<usize>,
    watches_made: Cell<usize>,
    /// The number of coroutines that scripts have resumed, above the scheduler's thread.
    depth: Cell<usize>,
}

impl Host {
    fn note(&self, note: String) {
        self.notes.borrow_mut().push(note);
    }
}

impl Stage {
    pub(super) fn new(plan: &Plan) -> Self {
        let world = World::new();
        let signals: Vec<Signal> = (0..SIGNALS).map(|index| world.signal(&format!("signal{index}"))).collect();
        let slice = if plan.has_slices { SLICE } else { f64::INFINITY };
        let limit = if plan.has_limit { LIMIT } else { f64::INFINITY };
        world.limit(0.0, Limits { slice, limit });
        let threads = world.lua.create_table().unwrap();
        let host = Rc::<Host>::default();
        let stage = Self { world, threads, signals, host };
        stage.set_globals().unwrap();
        stage
    }

    fn set_globals(&self) -> LuaResult<()> {
        let (lua, globals) = (&self.world.lua, self.world.lua.globals());
        globals.set("threads", &self.threads)?;
        globals.set("connections", lua.create_table()?)?;

        let host = self.host.clone();
        globals.set(
            "note",
            lua.create_function(move |_, values: LuaMultiValue| {
                let texts: Vec<String> = values.iter().map(shown).collect();
                host.note(texts.join(" "));
                Ok(())
            })?,
        )?;

        let host = self.host.clone();
        globals.set(
            "deeper",
            lua.create_function(move |_, ()| {
                host.depth.set(host.depth.get() + 1);
                Ok(())
            })?,
        )?;
        let host = self.host.clone();
        globals.set(
            "higher",
            lua.create_function(move |_, values: LuaMultiValue| {
                host.depth.set(host.depth.get() - 1);
                Ok(values)
            })?,
        )?;

        // Only threads that the scheduler resumed take time: the model does not follow slices through coroutines of
        // scripts.
        let (host, clock) = (self.host.clone(), self.world.clock.clone());
        globals.set(
            "compute",
            lua.create_function(move |_, ()| {
                let is_on_top = host.depth.get() == 0;
                if is_on_top {
                    clock.set(clock.get() + SPELL);
                }
                Ok(is_on_top)
            })?,
        )?;

        let (scheduler, signals) = (self.world.scheduler.clone(), self.signals.clone());
        globals.set(
            "fire",
            lua.create_function(move |lua, (signal, value): (usize, usize)| {
                fire(lua, &scheduler, &signals[signal], value);
                Ok(())
            })?,
        )?;

        let scheduler = self.world.scheduler.clone();
        globals.set(
            "finish",
            lua.create_function(move |lua, thread: LuaThread| {
                scheduler.cancel(lua, &thread, "finished");
                Ok(())
            })?,
        )?;
        globals.set("park", self.park()?)
    }

    fn park(&self) -> LuaResult<LuaFunction> {
        let (host, scheduler) = (self.host.clone(), self.world.scheduler.clone());
        let builder = FunctionBuilder::new(&self.world.lua, &scheduler)?;
        builder.yielding(&self.world.lua, Callee::Function("park"), move |lua, _| {
            let of_hook = host.clone();
            let number = host.tokens.borrow().len();
            let token = scheduler.park(lua, move || of_hook.note(format!("released {number}")));
            host.tokens.borrow_mut().push(Some(token));
            Ok(())
        })
    }

    /// Plays an event and returns the view after it.
    pub(super) fn play(&self, event: &Event) -> View {
        let (lua, scheduler) = (&self.world.lua, &self.world.scheduler);
        self.host.depth.set(0);
        match event {
            Event::Start(body) => drop(self.world.start(&body.source())),
            Event::Pass(ticks) => self.world.jump_to(scheduler.now() + f64::from(*ticks) * TICK),
            Event::Turn(jobs) => {
                let mut left = *jobs;
                self.world.turn_until(|| {
                    self.host.depth.set(0);
                    left -= 1;
                    left == 0
                });
            }
            Event::Fire(signal) => fire(lua, scheduler, &self.signals[*signal], 0),
            Event::Wake(number) => {
                if let Some(token) = self.token(*number) {
                    scheduler.wake(token, "woken".into_lua_multi(lua).unwrap());
                }
            }
            Event::Fail(number) => {
                if let Some(token) = self.token(*number) {
                    scheduler.fail(token, CallError::new("broken"));
                }
            }
            Event::Resume(slot) => self.with_thread(*slot, |thread| scheduler.resume(thread, LuaMultiValue::new())),
            Event::Defer(slot) => self.with_thread(*slot, |thread| scheduler.defer(thread, LuaMultiValue::new())),
            Event::Delay(slot, ticks) => self.with_thread(*slot, |thread| {
                scheduler.delay(f64::from(*ticks) * TICK, thread, LuaMultiValue::new());
            }),
            Event::Cancel(slot) => self.with_thread(*slot, |thread| scheduler.cancel(lua, &thread, "cancelled")),
            Event::Watch(slot) => self.with_thread(*slot, |thread| {
                let host = self.host.clone();
                let number = host.watches_made.replace(host.watches_made.get() + 1);
                let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
                    let message = outcome.map_or_else(|error| error.message, |_| "returned".to_owned());
                    host.note(format!("ended {number}: {}", unplaced(&message)));
                };
                scheduler.await_end(&thread, None, Box::new(on_end));
            }),
            Event::Unwatch(slot) => self.with_thread(*slot, |thread| drop(scheduler.take_ending(&thread))),
            Event::Timer(ticks) => {
                let host = self.host.clone();
                let number = host.timers_made.replace(host.timers_made.get() + 1);
                let timer = scheduler.timer(f64::from(*ticks) * TICK, move || host.note(format!("timer {number}")));
                self.host.timers.borrow_mut().push(Some(timer));
            }
            Event::DropTimer(number) => {
                let timer = self.host.timers.borrow_mut().get_mut(*number).and_then(Option::take);
                drop(timer);
            }
            Event::Clear => {
                let error = ScriptError::new(Kind::Cancelled, "cleared");
                let before = self.host.notes.borrow().len();
                scheduler.clear(lua, &error);
                // The order among threads is undefined.
                self.host.notes.borrow_mut()[before..].sort();
            }
        }
        self.view()
    }

    fn token(&self, number: usize) -> Option<ResumeToken> {
        self.host.tokens.borrow_mut().get_mut(number).and_then(Option::take)
    }

    fn with_thread(&self, slot: usize, then: impl FnOnce(LuaThread)) {
        if let Ok(Some(thread)) = self.threads.get::<Option<LuaThread>>(slot) {
            then(thread);
        }
    }

    fn view(&self) -> View {
        let next = self.world.scheduler.next();
        let counts = (next != Next::Now).then(|| self.world.scheduler.counts());
        let mut states = Vec::new();
        // Asks Luau itself, because mlua reports an interrupted thread as failed.
        let library: LuaTable = self.world.lua.globals().get("coroutine").unwrap();
        let told: LuaFunction = library.get("status").unwrap();
        for slot in 0..SLOTS {
            let thread: Option<LuaThread> = self.threads.get(slot).unwrap();
            states.push(thread.map(|thread| {
                let told: String = told.call(thread).unwrap();
                if told == "dead" { "dead" } else { "alive" }
            }));
        }
        let errors = self.world.errors().iter().map(|message| unplaced(message)).collect();
        View { notes: self.host.notes.take(), errors, next, counts, states }
    }

    /// Checks that a cleared VM is as good as new.
    pub(super) fn check_end(&self) {
        let scheduler = &self.world.scheduler;
        assert_eq!(scheduler.counts(), luau_runtime::scheduler::Counts::default());
        assert!(scheduler.is_idle());
        self.world.run("task.wait(1) log('plain')");
        assert_eq!((self.world.log(), self.world.errors()), (vec!["plain".to_owned()], vec![]));
    }
}

fn fire(lua: &Lua, scheduler: &Scheduler, signal: &Signal, value: usize) {
    let (signal, values) = (signal.clone(), value.into_lua_multi(lua).unwrap());
    scheduler.dispatch(move |_| signal.fire(values));
}

fn shown(value: &LuaValue) -> String {
    match value {
        LuaValue::Integer(number) => number.to_string(),
        LuaValue::Number(number) => number.to_string(),
        LuaValue::String(text) => unplaced(&String::from_utf8_lossy(&text.as_bytes())),
        other => other.to_string().unwrap(),
    }
}

/// Returns a message without the location at its beginning.
fn unplaced(message: &str) -> String {
    message.strip_prefix("script:").and_then(|rest| rest.split_once(": ")).map_or(message, |(_, rest)| rest).to_owned()
}
