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

mod timers;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::c_void;
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

pub use self::timers::Timer;
use self::timers::{Alarm, TimerKey, Timers};
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::raw::{self, Doom, Guard, Interrupted, Resumed};

/// Which thread: the address of its state, which stands for it as long as the thread is alive.
type ThreadId = *const c_void;

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

/// How long a thread may run, in milliseconds; infinite where there is no such limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Until the page gets its turn. The same thread goes on afterwards.
    pub slice: f64,
    /// Without yielding, over all its slices. Past it the thread fails.
    pub limit: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { slice: f64::INFINITY, limit: f64::INFINITY }
    }
}

impl Limits {
    fn are_set(self) -> bool {
        self.slice.is_finite() || self.limit.is_finite()
    }
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

enum Job {
    /// A parked thread goes on: with a failure to raise, or with values to return.
    Wake { token: Token, failure: Option<Failure>, values: LuaMultiValue },
    /// A thread that a script named is resumed: begun, or gone on with.
    Resume { thread: LuaThread, values: LuaMultiValue },
    /// A function runs in a thread that no script holds; which one, and whether any, is asked when its turn has come.
    Call { callee: Box<dyn FnOnce() -> Option<LuaFunction>>, values: LuaMultiValue },
    /// An event finds out whom it concerns when its turn has come, not before.
    Dispatch(Box<dyn FnOnce(&Lua)>),
}

/// The scheduler of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Scheduler(Rc<Inner>);

struct Inner {
    /// The time in milliseconds, from any beginning; it never goes back.
    clock: Rc<dyn Fn() -> f64>,
    limits: Cell<Limits>,
    /// Takes the errors of threads that nobody waits for.
    on_error: Box<dyn Fn(ScriptError)>,
    /// Called when an event left something to do and no turn is under way.
    driver: RefCell<Option<Rc<dyn Fn()>>>,
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
    /// Who wants to know that a thread was ended from outside.
    watches: RefCell<HashMap<ThreadId, Watch>>,
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
            limits: Cell::default(),
            on_error: Box::new(on_error),
            driver: RefCell::default(),
            mark: OnceCell::new(),
            ready: RefCell::default(),
            deferred: RefCell::default(),
            timers: RefCell::default(),
            parked: RefCell::default(),
            preempted: RefCell::default(),
            running: RefCell::default(),
            watches: RefCell::default(),
            spare: RefCell::default(),
            running_unseen: Cell::new(false),
            in_turn: Cell::new(false),
            resumptions: Cell::new(0),
            sequence: Cell::new(0),
        }))
    }

    /// Sets what is called when an event left something to do; it is expected to call [`turn`](Self::turn).
    pub fn set_driver(&self, driver: Rc<dyn Fn()>) {
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

    /// Runs what is due: what woke, then what was deferred, until nothing is left or `out_of_time` says so.
    ///
    /// Timers that become due meanwhile wait for the next turn. Called from inside a turn, it leaves all to that one.
    pub fn turn(&self, lua: &Lua, mut out_of_time: impl FnMut() -> bool) -> Next {
        if self.0.in_turn.replace(true) {
            return Next::Now;
        }
        self.collect_due();
        let mut is_time_left = !self.go_on(lua) || !out_of_time();
        // A thread that was preempted is alone until it yields by itself.
        while is_time_left && self.0.preempted.borrow().is_none() {
            let Some(job) = self.next_job() else { break };
            self.run(lua, job);
            is_time_left = !out_of_time();
        }
        // What a cycle that was cut has deferred comes before what happens from now on, and not after it.
        self.0.ready.borrow_mut().append(&mut self.0.deferred.borrow_mut());
        self.0.in_turn.set(false);
        self.next()
    }

    /// One event from outside: `notice` tells the scheduler of it, and then its cycle runs, unless one is under way.
    ///
    /// Every callback from JS that may wake a thread comes through here.
    pub fn event<R>(&self, notice: impl FnOnce() -> R) -> R {
        let result = notice();
        if !self.0.in_turn.get() {
            let driver = self.0.driver.borrow().clone();
            if let Some(driver) = driver {
                driver();
            }
        }
        result
    }

    /// Parks the thread that is running, until its token is used.
    ///
    /// `release` is called when the thread stops waiting in another way: resumed by a script, cancelled, or the VM
    /// disposed. The Luau code around a parking function yields right afterwards.
    pub fn park(&self, lua: &Lua, release: impl FnOnce() + 'static) -> Token {
        self.park_for(lua, Release::Hook(Box::new(release)))
    }

    /// Whether `thread` waits for the token to be used.
    #[must_use]
    pub fn is_parked(&self, token: &Token, thread: &LuaThread) -> bool {
        let parked = self.0.parked.borrow();
        let parked = parked.get(&token.thread).filter(|parked| parked.parking == token.parking);
        parked.is_some_and(|parked| parked.thread == *thread)
    }

    /// Parks the thread that is running for at least so many milliseconds; it is woken with the seconds that passed.
    pub fn sleep(&self, lua: &Lua, milliseconds: f64) {
        let since = self.now();
        let key = self.timer_key(since + milliseconds);
        let token = self.park_for(lua, Release::Timer(key));
        self.0.timers.borrow_mut().insert(key, Alarm::Wake { token, since });
    }

    fn park_for(&self, lua: &Lua, release: Release) -> Token {
        let thread = lua.current_thread();
        let (id, parking) = (thread.to_pointer(), self.next_number());
        let before = self.0.parked.borrow_mut().insert(id, Parked { thread, parking, release });
        // A thread that parked and did not yield, for want of memory, never gave its first parking back.
        self.give_back(before);
        Token { thread: id, parking }
    }

    /// Wakes a parked thread with what its call returns.
    pub fn wake(&self, token: Token, values: LuaMultiValue) {
        self.queue_wake(token, None, values);
    }

    /// Wakes a parked thread with an error that its call raises.
    pub fn fail(&self, token: Token, failure: Failure) {
        self.queue_wake(token, Some(failure), LuaMultiValue::new());
    }

    fn queue_wake(&self, token: Token, failure: Option<Failure>, values: LuaMultiValue) {
        if let Some(parked) = self.0.parked.borrow_mut().get_mut(&token.thread)
            && parked.parking == token.parking
        {
            // What it waited for has come, so there is nothing to give back.
            parked.release = Release::Nothing;
            self.0.ready.borrow_mut().push_back(Job::Wake { token, failure, values });
        }
    }

    /// Lets go of all that `thread` waits for; its tokens are stale from now on.
    pub fn release(&self, thread: &LuaThread) {
        let id = thread.to_pointer();
        let parked = self.0.parked.borrow_mut().remove(&id);
        self.give_back(parked);
    }

    /// Forgets a thread that was closed: what it waits for, what it is due for, and who watches it.
    pub fn forget(&self, thread: &LuaThread) {
        self.forget_with(thread, "the thread was cancelled");
    }

    fn forget_with(&self, thread: &LuaThread, message: &str) {
        self.release(thread);
        let id = thread.to_pointer();
        let delays = self.0.timers.borrow_mut().remove_delays(id);
        drop(delays);
        self.end_watched(id, || ScriptError::plain(Kind::Cancelled, message));
    }

    /// Tells who watches a thread that it was ended. Returns the error if nobody does.
    fn end_watched(&self, id: ThreadId, error: impl FnOnce() -> ScriptError) -> Option<ScriptError> {
        let watch = self.0.watches.borrow_mut().remove(&id);
        match watch {
            Some(watch) => {
                (watch.ended)(error());
                None
            }
            None => Some(error()),
        }
    }

    /// Ends a thread from outside, whatever it is doing: one that waits at once, the one that runs when it next comes to
    /// a loop or a call, at whatever depth.
    pub fn cancel(&self, lua: &Lua, thread: &LuaThread, message: &str) {
        let is_running = self.0.running.borrow().as_ref().is_some_and(|(running, _)| *running == thread.to_pointer());
        if is_running {
            self.end_running(lua, Kind::Cancelled, message);
        } else {
            let is_it = |preempted: &mut Preempted| preempted.interrupted.thread() == thread;
            let preempted = self.0.preempted.borrow_mut().take_if(is_it);
            if let Some(Preempted { interrupted, .. }) = preempted {
                interrupted.end(lua);
            }
            // One that a script resumed by hand, and that is running deeper down, goes on until it yields.
            if thread.is_resumable() {
                raw::close(lua, thread);
            }
        }
        self.forget_with(thread, message);
    }

    /// Ends the thread that runs, when it next comes to a loop or a call.
    pub fn end_running(&self, lua: &Lua, kind: Kind, message: &str) {
        let guard = self.0.running.borrow().as_ref().map(|(_, guard)| guard.clone());
        // Without memory for this the thread goes on until it yields.
        if let Some(guard) = guard
            && raw::set_interrupts(lua, true).is_ok()
        {
            guard.set_doom(Doom::new(kind, message));
        }
    }

    /// Why the thread that runs is to end, if it is.
    #[must_use]
    pub(crate) fn doom(&self) -> Option<Doom> {
        self.0.running.borrow().as_ref().and_then(|(_, guard)| guard.doom())
    }

    fn give_back(&self, parked: Option<Parked>) {
        match parked.map(|parked| parked.release) {
            Some(Release::Timer(key)) => {
                let alarm = self.0.timers.borrow_mut().remove(key);
                drop(alarm);
            }
            Some(Release::Hook(hook)) => hook(),
            Some(Release::Nothing) | None => {}
        }
    }

    /// Calls `ended` if `thread` is cancelled or fails before [`unwatch`](Self::unwatch) is called.
    pub fn watch(&self, thread: &LuaThread, ended: impl FnOnce(ScriptError) + 'static) {
        let watch = Watch { thread: thread.clone(), ended: Box::new(ended) };
        self.0.watches.borrow_mut().insert(thread.to_pointer(), watch);
    }

    /// Ends [`watch`](Self::watch).
    pub fn unwatch(&self, thread: &LuaThread) {
        let watch = self.0.watches.borrow_mut().remove(&thread.to_pointer());
        drop(watch);
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
        let mut ready = self.0.ready.borrow_mut();
        // Of the two parts the shorter one is moved.
        let made = ready.len().saturating_sub(waiting);
        ready.rotate_right(made);
        drop(ready);
        result
    }

    /// Runs the function that `callee` gives in a thread of its own, in this cycle. It is asked just before, and may give none.
    pub fn call(&self, callee: impl FnOnce() -> Option<LuaFunction> + 'static, values: LuaMultiValue) {
        self.0.ready.borrow_mut().push_back(Job::Call { callee: Box::new(callee), values });
    }

    /// A script got hold of the thread that is running, so it may not be used again for something else.
    pub fn mark_seen(&self) {
        self.0.running_unseen.set(false);
    }

    /// Reports an error that nobody waits for.
    pub fn report(&self, error: ScriptError) {
        match self.doom().map(|doom| doom.kind()) {
            None => (self.0.on_error)(error),
            // A thread that went down with the one that had resumed it.
            Some(Kind::Timeout) => (self.0.on_error)(ScriptError { kind: Kind::Timeout, ..error }),
            // Who stops a VM knows that its threads end.
            Some(_) => {}
        }
    }

    /// The time in milliseconds.
    #[must_use]
    pub fn now(&self) -> f64 {
        (self.0.clock)()
    }

    /// Lets go of everything: no thread runs any more, what they waited for is given back, and those who watch them are
    /// told of `error`. Threads are closed, so that a script that kept one cannot go on with it.
    pub fn clear(&self, lua: &Lua, error: &ScriptError) {
        // Taken out first and dropped after: what they hold may reach back here.
        let parked: Vec<Parked> = self.0.parked.borrow_mut().drain().map(|(_, parked)| parked).collect();
        let watches: Vec<_> = self.0.watches.borrow_mut().drain().collect();
        let jobs = [self.0.ready.take(), self.0.deferred.take()].into_iter().flatten();
        let (timers, preempted) = (self.0.timers.take(), self.0.preempted.take());
        self.0.spare.take();

        let mut threads: Vec<LuaThread> = parked.iter().map(|parked| parked.thread.clone()).collect();
        threads.extend(jobs.filter_map(|job| if let Job::Resume { thread, .. } = job { Some(thread) } else { None }));
        threads.extend(timers.into_delayed());
        if let Some(Preempted { interrupted, .. }) = preempted {
            interrupted.end(lua);
        }
        for parked in parked {
            self.give_back(Some(parked));
        }
        for (_, watch) in watches {
            threads.push(watch.thread);
            (watch.ended)(error.clone());
        }
        for thread in threads {
            if thread.is_resumable() {
                raw::close(lua, &thread);
            }
        }
    }

    /// What is under way. Threads that a script keeps and that wait for nothing of ours are not counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut threads: HashSet<ThreadId> = self.0.parked.borrow().keys().copied().collect();
        let mut without_thread = 0;
        for job in self.0.ready.borrow().iter().chain(self.0.deferred.borrow().iter()) {
            match job {
                Job::Resume { thread, .. } => {
                    threads.insert(thread.to_pointer());
                }
                Job::Call { .. } => without_thread += 1,
                Job::Wake { .. } | Job::Dispatch(_) => {}
            }
        }
        threads.extend(self.0.preempted.borrow().iter().map(|preempted| preempted.interrupted.thread().to_pointer()));
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

    fn next_job(&self) -> Option<Job> {
        let ready = self.0.ready.borrow_mut().pop_front();
        ready.or_else(|| self.0.deferred.borrow_mut().pop_front())
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

    /// What is to be done next.
    #[must_use]
    pub fn next(&self) -> Next {
        let has_jobs = !self.0.ready.borrow().is_empty() || !self.0.deferred.borrow().is_empty();
        if has_jobs || self.0.preempted.borrow().is_some() {
            return Next::Now;
        }
        self.0.timers.borrow().first().map_or(Next::Idle, Next::At)
    }

    fn run(&self, lua: &Lua, job: Job) {
        match job {
            Job::Wake { token, failure, values } => self.run_wake(lua, &token, failure, values),
            Job::Resume { thread, values } => {
                // One that was cancelled or has ended meanwhile has nothing left to do.
                if thread.is_resumable() {
                    self.run_thread(lua, &thread, values);
                }
            }
            Job::Call { callee, values } => {
                if let Some(function) = callee() {
                    self.run_call(lua, function, values);
                }
            }
            Job::Dispatch(dispatch) => dispatch(lua),
        }
    }

    fn run_wake(&self, lua: &Lua, token: &Token, failure: Option<Failure>, mut values: LuaMultiValue) {
        let parked = {
            let mut parked = self.0.parked.borrow_mut();
            match parked.get(&token.thread) {
                Some(entry) if entry.parking == token.parking => parked.remove(&token.thread),
                _ => None,
            }
        };
        let Some(Parked { thread, .. }) = parked else { return };
        // One that parked, and got an error for want of memory before it yielded, may wait for something else by now.
        if !thread.is_resumable() || !raw::waits_for_us(&thread) {
            return;
        }
        let prefix = self.mark(lua).and_then(|mark| {
            let failure = failure.map(|failure| failure.message().to_owned()).into_lua(lua)?;
            Ok((LuaValue::Table(mark), failure))
        });
        match prefix {
            Ok((mark, failure)) => {
                values.push_front(failure);
                values.push_front(mark);
                self.run_thread(lua, &thread, values);
            }
            Err(error) => self.report(ScriptError::from_lua(&error, "")),
        }
    }

    fn run_call(&self, lua: &Lua, function: LuaFunction, values: LuaMultiValue) {
        let spare = self.0.spare.borrow_mut().pop();
        let thread = match spare {
            Some(thread) => thread.reset(function).map(|()| thread),
            None => lua.create_thread(function),
        };
        match thread {
            Ok(thread) => {
                self.0.running_unseen.set(true);
                self.run_thread(lua, &thread, values);
                let unseen = self.0.running_unseen.replace(false);
                if unseen && thread.is_finished() && self.0.spare.borrow().len() < SPARE_THREADS {
                    self.0.spare.borrow_mut().push(thread);
                }
            }
            Err(error) => self.report(ScriptError::from_lua(&error, "")),
        }
    }

    fn run_thread(&self, lua: &Lua, thread: &LuaThread, values: LuaMultiValue) {
        self.run_slice(lua, thread, 0.0, |guard| raw::resume(lua, guard, thread, values));
    }

    /// Goes on with the thread that was preempted. Returns whether there was one.
    fn go_on(&self, lua: &Lua) -> bool {
        let preempted = self.0.preempted.take();
        let Some(Preempted { interrupted, used }) = preempted else { return false };
        let thread = interrupted.thread().clone();
        self.run_slice(lua, &thread, used, |guard| raw::go_on(lua, guard, interrupted));
        true
    }

    fn run_slice(&self, lua: &Lua, thread: &LuaThread, used: f64, resume: impl FnOnce(&Guard) -> LuaResult<Resumed>) {
        self.0.resumptions.set(self.0.resumptions.get() + 1);
        let limits = self.0.limits.get();
        let began = if limits.are_set() { self.now() } else { 0.0 };
        let guard = Guard::new(self.0.clock.clone(), began + limits.slice, began + limits.limit - used);
        // None but this thread runs, since turns are not nested.
        self.0.running.replace(Some((thread.to_pointer(), guard.clone())));
        // The text of what was thrown may be made by the script, and has to keep to its limits too.
        let ended = raw::guarded(guard.clone(), || match resume(&guard) {
            Ok(Resumed::Yielded) => Ended::Yielded,
            Ok(Resumed::Interrupted(interrupted)) => Ended::Interrupted(interrupted),
            Ok(Resumed::Finished) => Ended::Finished,
            Ok(Resumed::Failed { value, frames }) => Ended::Failed(ScriptError::thrown(lua, value, frames)),
            Err(error) => Ended::Failed(ScriptError::from_lua(&error, "")),
        });
        self.0.running.replace(None);
        if let Ended::Interrupted(interrupted) = ended {
            let used = used + self.now() - began;
            self.0.preempted.replace(Some(Preempted { interrupted, used }));
            return;
        }
        let error = if let Ended::Failed(error) = ended { Some(error) } else { None };
        match guard.doom() {
            Some(doom) => self.end_doomed(lua, thread, &doom, error),
            None => {
                if let Some(error) = error {
                    self.fail_thread(thread, error);
                }
            }
        }
    }

    /// Sees to it that nothing is left of a thread that was to end, even if it just then finished or yielded.
    fn end_doomed(&self, lua: &Lua, thread: &LuaThread, doom: &Doom, error: Option<ScriptError>) {
        if !self.0.limits.get().are_set() {
            // They were on for this alone; turning them off needs no memory.
            let _ = raw::set_interrupts(lua, false);
        }
        self.release(thread);
        if thread.is_resumable() {
            raw::close(lua, thread);
        } else if error.is_none() {
            // It told its end itself.
            return;
        }
        let frames = error.map(|error| error.frames).unwrap_or_default();
        let place = frames.first().map(|frame| format!("{}:{}: ", frame.chunk_name, frame.line)).unwrap_or_default();
        let message = format!("{place}{}", doom.message());
        let error = ScriptError { kind: doom.kind(), message, value: LuaNil, frames };
        let unheard = self.end_watched(thread.to_pointer(), || error.clone());
        // Who stops a VM knows that its threads end; a time limit is told.
        if let Some(error) = unheard.filter(|error| error.kind == Kind::Timeout) {
            self.report(error);
        }
    }

    fn fail_thread(&self, thread: &LuaThread, error: ScriptError) {
        if let Some(error) = self.end_watched(thread.to_pointer(), || error) {
            self.report(error);
        }
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
