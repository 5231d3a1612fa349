//! Runs the threads of a VM: which one next, and when.
//!
//! The scheduler knows no JS and no clock. It is given the time by a function and is driven from outside: [`turn`] runs
//! what is due and says when to come back. So its order can be tested natively, with a clock that the test turns.
//!
//! What there is to run stands in one of three places:
//!
//! - `ready`: the threads that an event woke, in the order of the events;
//! - `deferred`: what runs at the end of the cycle, once `ready` is empty;
//! - `timers`: what is due later, by time and then by the order of the calls.
//!
//! A thread that waits for something is *parked*: the scheduler holds it, and whoever will wake it holds a [`Token`].
//! A token is good once, and only as long as the thread still waits for the very same thing: a thread that a script
//! resumed by hand, or cancelled, has left its token stale, and a stale token does nothing.
//!
//! Threads are never resumed from inside a call that Luau made, only from [`turn`].
//!
//! [`turn`]: Scheduler::turn

mod ending;
mod jobs;
mod limits;
mod pace;
mod parking;
mod running;
mod timers;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use self::jobs::Job;
pub use self::jobs::{Called, Deliver};
pub use self::limits::Limits;
pub use self::timers::Timer;
use self::timers::{Alarm, TimerKey, Timers};
use crate::error::ScriptError;
use crate::origin::Origins;
use crate::raw::{self, Guard, Interrupted, ThreadId};

/// The right to wake a parked thread, once.
#[derive(Debug)]
#[must_use = "a thread whose token is lost waits until a script resumes or cancels it"]
pub struct Token {
    thread: ThreadId,
    parking: u64,
}

/// What [`Scheduler::turn`] says of the future.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// There is nothing to do until an event comes.
    Idle,
    /// There is nothing to do until this time, in milliseconds.
    At(f64),
    /// There is more to do, as soon as the page had its turn.
    Now,
}

/// How soon a cycle has to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Before the call returns, because the host expects that.
    AtOnce,
    /// Now, or after the event loop has had control if it has waited too long.
    CanWait,
    /// Now, unless the event loop has waited much longer, since the host expects that a chunk begins at once. Compiling it may have taken
    /// long.
    AfterWork,
}

/// Runs the scheduler's turns; see [`Scheduler::set_driver`].
pub type Driver = Rc<dyn Fn(Urgency)>;

/// A thread that waits, and what is to be undone when it stops waiting without being woken.
struct Parked {
    thread: LuaThread,
    parking: u64,
    release: Release,
}

/// What a parked thread waits for, as far as it has to be given back.
enum Release {
    Timer(TimerKey),
    Hook(Box<dyn FnOnce()>),
    /// Woken already: its job stands in the queue.
    Nothing,
}

/// Who wants to know that a thread was ended from outside.
struct Watch {
    /// Kept, so that its id is not given to another one.
    thread: LuaThread,
    ended: Box<dyn FnOnce(ScriptError)>,
}

/// How a thread came back.
enum Ended {
    Yielded,
    Interrupted(Interrupted),
    Finished,
    Failed(ScriptError),
}

/// A thread that was interrupted because the page is to have its turn.
struct Preempted {
    interrupted: Interrupted,
    /// How long it has run since it yielded by itself, in milliseconds.
    used: f64,
}

/// What a VM has under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Threads that run, wait, or are to be resumed.
    pub threads: usize,
    /// Timers of scripts.
    pub timers: usize,
}

/// The scheduler of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Scheduler(Rc<Inner>);

struct Inner {
    /// The time in milliseconds, from any beginning; it never goes back.
    clock: Rc<dyn Fn() -> f64>,
    /// What it said last since the turn began. To ask takes longer than most of what a turn does.
    time: Cell<Option<f64>>,
    limits: Cell<Limits>,
    /// How much memory scripts may have, as it was when the turn began.
    memory_limit: Cell<Option<usize>>,
    /// Takes the errors of threads that nobody waits for.
    on_error: Box<dyn Fn(ScriptError)>,
    /// Called when an event left something to do and no turn is under way.
    driver: RefCell<Option<Driver>>,
    /// See `bind.luau`.
    mark: OnceCell<LuaTable>,
    ready: RefCell<VecDeque<Job>>,
    deferred: RefCell<VecDeque<Job>>,
    timers: RefCell<Timers>,
    parked: RefCell<HashMap<ThreadId, Parked>>,
    /// Goes on before anything else does.
    preempted: RefCell<Option<Preempted>>,
    /// The thread that runs, which whoever resumed it holds, and what keeps it in bounds.
    running: RefCell<Option<(ThreadId, Rc<Guard>)>>,
    /// What kept the last thread in bounds, for the next one.
    guard: RefCell<Option<Rc<Guard>>>,
    /// Who wants to know that a thread was ended from outside.
    watches: RefCell<HashMap<ThreadId, Watch>>,
    /// What is behind the errors that threads have got from us.
    origins: Origins,
    /// Threads that finished and that no script holds, for the next handlers.
    spare: RefCell<Vec<LuaThread>>,
    /// Whether the thread that is running came from a `Call` and no script asked for it.
    running_unseen: Cell<bool>,
    in_turn: Cell<bool>,
    /// How often a thread was resumed.
    resumptions: Cell<u64>,
    sequence: Cell<u64>,
}

/// A thousand finished threads are about a megabyte; more are left to the collector.
const SPARE_THREADS: usize = 1_000;

impl Scheduler {
    /// A scheduler with nothing to do.
    ///
    /// `clock` tells the time in milliseconds and never goes back; `on_error` takes the errors of threads that nobody
    /// waits for.
    pub fn new(clock: impl Fn() -> f64 + 'static, on_error: impl Fn(ScriptError) + 'static) -> Self {
        Self(Rc::new(Inner {
            clock: Rc::new(clock),
            time: Cell::default(),
            limits: Cell::default(),
            memory_limit: Cell::default(),
            on_error: Box::new(on_error),
            driver: RefCell::default(),
            mark: OnceCell::new(),
            ready: RefCell::default(),
            deferred: RefCell::default(),
            timers: RefCell::default(),
            parked: RefCell::default(),
            preempted: RefCell::default(),
            running: RefCell::default(),
            guard: RefCell::default(),
            watches: RefCell::default(),
            origins: Origins::default(),
            spare: RefCell::default(),
            running_unseen: Cell::new(false),
            in_turn: Cell::new(false),
            resumptions: Cell::new(0),
            sequence: Cell::new(0),
        }))
    }

    /// Sets what is called when an event left something to do; it is expected to call [`turn`](Self::turn).
    pub fn set_driver(&self, driver: Driver) {
        *self.0.driver.borrow_mut() = Some(driver);
    }

    /// Sets how long threads may run. Without limits, which is the default, running costs nothing more.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn set_limits(&self, lua: &Lua, limits: Limits) -> LuaResult<()> {
        self.0.limits.set(limits);
        raw::set_interrupts(lua, limits.are_set())
    }

    /// Runs what is due: what woke, then what was deferred, until nothing is left or `out_of_time` returns true. Its argument is how long
    /// the host has waited, in milliseconds: since `waiting_since`, or else since this turn began. A first thread that came back at once
    /// does not count.
    ///
    /// Timers that become due meanwhile wait for the next turn. Called from inside a turn, it leaves all to that one.
    pub fn turn(&self, lua: &Lua, waiting_since: Option<f64>, mut out_of_time: impl FnMut(f64) -> bool) -> Next {
        if self.0.in_turn.replace(true) {
            return Next::Now;
        }
        self.0.time.set(None);
        self.0.memory_limit.set(raw::limit_of(lua));
        self.collect_due();
        let mut pace = self.pace(waiting_since);
        let mut is_time_left = || !out_of_time(self.lasted(&mut pace));
        let mut goes_on = !self.go_on(lua) || is_time_left();
        // A thread that was preempted is alone until it yields by itself.
        while goes_on && self.0.preempted.borrow().is_none() {
            let Some(job) = self.next_job() else { break };
            if raw::has_memory_to_resume(lua, || self.now()) {
                self.run(lua, job);
            } else {
                self.refuse(lua, job);
            }
            goes_on = is_time_left();
        }
        // What a cycle that was cut has deferred comes before what happens from now on, and not after it.
        self.0.ready.borrow_mut().append(&mut self.0.deferred.borrow_mut());
        self.0.in_turn.set(false);
        self.next()
    }

    /// Notifies the scheduler of an event that can wait; see [`notify`](Self::notify).
    pub fn event<R>(&self, notice: impl FnOnce() -> R) -> R {
        self.notify(Urgency::CanWait, notice)
    }

    /// Calls `notice`, which changes the queues, and then runs a cycle unless one is already running.
    ///
    /// Every callback from JS that may wake a thread comes through here.
    pub fn notify<R>(&self, urgency: Urgency, notice: impl FnOnce() -> R) -> R {
        let result = notice();
        if !self.0.in_turn.get() {
            let driver = self.0.driver.borrow().clone();
            if let Some(driver) = driver {
                driver(urgency);
            }
        }
        result
    }

    /// Resumes `thread` in this cycle, before what is deferred.
    pub fn resume(&self, thread: LuaThread, values: LuaMultiValue) {
        self.0.ready.borrow_mut().push_back(Job::Resume { thread, values });
    }

    /// Resumes `thread` at the end of this cycle.
    pub fn defer(&self, thread: LuaThread, values: LuaMultiValue) {
        self.0.deferred.borrow_mut().push_back(Job::Resume { thread, values });
    }

    /// Resumes `thread` when so many milliseconds have passed.
    pub fn delay(&self, milliseconds: f64, thread: LuaThread, values: LuaMultiValue) {
        let key = self.timer_key(self.now() + milliseconds);
        self.0.timers.borrow_mut().insert(key, Alarm::Resume { thread, values });
    }

    /// Calls `notify` when so many milliseconds have passed, unless the timer is dropped before.
    pub fn timer(&self, milliseconds: f64, notify: impl FnOnce() + 'static) -> Timer {
        let key = self.timer_key(self.now() + milliseconds);
        self.0.timers.borrow_mut().insert(key, Alarm::Notify(Box::new(notify)));
        Timer::new(self.clone(), key)
    }

    /// Calls `dispatch` in this cycle, after the threads that are ready.
    pub fn dispatch(&self, dispatch: impl FnOnce(&Lua) + 'static) {
        self.0.ready.borrow_mut().push_back(Job::Dispatch(Box::new(dispatch)));
    }

    /// Calls `dispatch` at the end of this cycle.
    pub fn dispatch_deferred(&self, dispatch: impl FnOnce(&Lua) + 'static) {
        self.0.deferred.borrow_mut().push_back(Job::Dispatch(Box::new(dispatch)));
    }

    /// Runs `batch` and puts what it makes ready before all else that is, in its order: what belongs to one event runs
    /// before the next one.
    pub fn ahead<R>(&self, batch: impl FnOnce() -> R) -> R {
        let waiting = self.0.ready.borrow().len();
        let result = batch();
        if waiting > 0 {
            let mut ready = self.0.ready.borrow_mut();
            // Of the two parts the shorter one is moved.
            let made = ready.len().saturating_sub(waiting);
            ready.rotate_right(made);
        }
        result
    }

    /// Has `events` deliver one in this cycle, after the threads that are ready.
    pub fn deliver(&self, events: Rc<dyn Deliver>) {
        self.0.ready.borrow_mut().push_back(Job::Deliver(events));
    }

    /// Runs the function that `callee` gives in a thread of its own, in this cycle. It is asked just before, and may give none.
    pub fn call(&self, callee: Rc<dyn Called>, values: LuaMultiValue) {
        self.0.ready.borrow_mut().push_back(Job::Call { callee, values });
    }

    /// A script got hold of the thread that is running, so it may not be used again for something else.
    pub fn mark_seen(&self) {
        self.0.running_unseen.set(false);
    }

    /// The time in milliseconds.
    #[must_use]
    pub fn now(&self) -> f64 {
        (self.0.clock)()
    }

    /// What is under way. Threads that a script keeps and that wait for nothing of ours are not counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut threads: HashSet<ThreadId> = self.0.parked.borrow().keys().copied().collect();
        let mut without_thread = 0;
        for job in self.0.ready.borrow().iter().chain(self.0.deferred.borrow().iter()) {
            match job {
                Job::Resume { thread, .. } => {
                    threads.insert(raw::id_of(thread));
                }
                Job::Call { .. } => without_thread += 1,
                Job::Wake { .. } | Job::Dispatch(_) | Job::Deliver(_) => {}
            }
        }
        threads.extend(self.0.preempted.borrow().iter().map(|preempted| raw::id_of(preempted.interrupted.thread())));
        threads.extend(self.0.running.borrow().iter().map(|(thread, _)| *thread));
        let timers = self.0.timers.borrow();
        threads.extend(timers.delayed());
        Counts { threads: threads.len() + without_thread, timers: timers.count() }
    }

    /// The value with which parked threads are resumed; see `bind.luau`.
    pub(crate) fn mark(&self, lua: &Lua) -> LuaResult<LuaTable> {
        if let Some(mark) = self.0.mark.get() {
            return Ok(mark.clone());
        }
        let mark = lua.create_table()?;
        Ok(self.0.mark.get_or_init(|| mark).clone())
    }

    fn collect_due(&self) {
        if self.0.timers.borrow().first().is_none() {
            return;
        }
        let now = self.now();
        self.0.time.set(Some(now));
        loop {
            let due = {
                let mut timers = self.0.timers.borrow_mut();
                let Some(due) = timers.pop_due(now) else { break };
                due
            };
            match due {
                Alarm::Wake { token, since } => {
                    self.wake(token, LuaMultiValue::from_vec(vec![LuaValue::Number((now - since) / 1_000.0)]));
                }
                Alarm::Resume { thread, values } => self.resume(thread, values),
                Alarm::Notify(notify) => notify(),
            }
        }
    }

    /// How often a thread was resumed until now: the same number twice means that no script ran in between.
    #[must_use]
    pub fn resumptions(&self) -> u64 {
        self.0.resumptions.get()
    }

    /// Whether no thread runs, nothing is left to do, and nothing will be until an event comes.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.0.in_turn.get() && self.next() == Next::Idle
    }

    /// Whether there is something that [`counts`](Self::counts) counts, or something to be done now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let timers = self.0.timers.borrow();
        let has_timers = timers.count() > 0 || timers.delayed().next().is_some();
        let has_threads = !self.0.parked.borrow().is_empty() || self.0.running.borrow().is_some();
        has_timers || has_threads || self.next() == Next::Now
    }

    /// What is to be done next.
    #[must_use]
    pub fn next(&self) -> Next {
        let has_jobs = !self.0.ready.borrow().is_empty() || !self.0.deferred.borrow().is_empty();
        if has_jobs || self.0.preempted.borrow().is_some() {
            return Next::Now;
        }
        self.0.timers.borrow().first().map_or(Next::Idle, Next::At)
    }

    fn timer_key(&self, at: f64) -> TimerKey {
        TimerKey::new(at, self.next_number())
    }

    fn next_number(&self) -> u64 {
        let number = self.0.sequence.get();
        self.0.sequence.set(number + 1);
        number
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("parked", &self.0.parked.borrow().len())
            .field("timers", &self.0.timers.borrow().count())
            .finish_non_exhaustive()
    }
}
