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

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::c_void;
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use crate::error::ScriptError;
use crate::failure::Failure;
use crate::raw::{self, Resumed};

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

/// Who wants to know that a thread was cancelled.
struct Watch {
    /// Keeps the thread, and so its id, from being collected and given to another one.
    _thread: LuaThread,
    cancelled: Box<dyn FnOnce()>,
}

enum Job {
    /// A parked thread goes on: with a failure to raise, or with values to return.
    Wake { token: Token, failure: Option<Failure>, values: LuaMultiValue },
    /// A thread that a script named is resumed: begun, or gone on with.
    Resume { thread: LuaThread, values: LuaMultiValue },
    /// A function runs in a thread that no script holds.
    Call { function: LuaFunction, values: LuaMultiValue },
    /// An event finds out whom it concerns when its turn has come, not before.
    Dispatch(Box<dyn FnOnce(&Lua)>),
}

enum Alarm {
    /// `task.wait`: the thread, and when it began to wait.
    Wake { token: Token, since: f64 },
    /// `task.delay`.
    Resume { thread: LuaThread, values: LuaMultiValue },
    /// A time-out of one of our libraries.
    Notify(Box<dyn FnOnce()>),
}

/// The place of a timer: its time, then the order of the calls.
#[derive(Clone, Copy, Debug, PartialEq)]
struct TimerKey {
    at: f64,
    order: u64,
}

impl Eq for TimerKey {}

impl PartialOrd for TimerKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimerKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.total_cmp(&other.at).then(self.order.cmp(&other.order))
    }
}

/// A time-out. It is called off when this is dropped.
#[must_use = "dropping it calls the time-out off"]
pub struct Timer {
    scheduler: Scheduler,
    key: TimerKey,
}

impl Drop for Timer {
    fn drop(&mut self) {
        let alarm = self.scheduler.0.timers.borrow_mut().remove(&self.key);
        // After the borrow has ended: what an alarm holds may reach back here as it is dropped.
        drop(alarm);
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timer").field(&self.key).finish()
    }
}

/// The scheduler of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Scheduler(Rc<Inner>);

struct Inner {
    /// The time in milliseconds, from any beginning; it never goes back.
    clock: Box<dyn Fn() -> f64>,
    /// Takes the errors of threads that nobody waits for.
    on_error: Box<dyn Fn(ScriptError)>,
    /// Called when an event left something to do and no turn is under way.
    driver: RefCell<Option<Rc<dyn Fn()>>>,
    /// See `bind.luau`.
    mark: OnceCell<LuaTable>,
    ready: RefCell<VecDeque<Job>>,
    deferred: RefCell<VecDeque<Job>>,
    timers: RefCell<BTreeMap<TimerKey, Alarm>>,
    parked: RefCell<HashMap<ThreadId, Parked>>,
    /// The `task.delay` timers of each thread that has some, so that cancelling the thread finds them.
    delays: RefCell<HashMap<ThreadId, Vec<TimerKey>>>,
    /// What wants to know that a thread was cancelled.
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
            clock: Box::new(clock),
            on_error: Box::new(on_error),
            driver: RefCell::default(),
            mark: OnceCell::new(),
            ready: RefCell::default(),
            deferred: RefCell::default(),
            timers: RefCell::default(),
            parked: RefCell::default(),
            delays: RefCell::default(),
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

    /// Runs what is due: what woke, then what was deferred, until nothing is left or `out_of_time` says so.
    ///
    /// Timers that become due meanwhile wait for the next turn. Called from inside a turn, it leaves all to that one.
    pub fn turn(&self, lua: &Lua, mut out_of_time: impl FnMut() -> bool) -> Next {
        if self.0.in_turn.replace(true) {
            return Next::Now;
        }
        self.collect_due();
        while let Some(job) = self.next_job() {
            self.run(lua, job);
            if out_of_time() {
                break;
            }
        }
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
        self.release(thread);
        let id = thread.to_pointer();
        for key in self.0.delays.borrow_mut().remove(&id).unwrap_or_default() {
            let alarm = self.0.timers.borrow_mut().remove(&key);
            drop(alarm);
        }
        let watch = self.0.watches.borrow_mut().remove(&id);
        if let Some(watch) = watch {
            (watch.cancelled)();
        }
    }

    fn give_back(&self, parked: Option<Parked>) {
        match parked.map(|parked| parked.release) {
            Some(Release::Timer(key)) => {
                let alarm = self.0.timers.borrow_mut().remove(&key);
                drop(alarm);
            }
            Some(Release::Hook(hook)) => hook(),
            Some(Release::Nothing) | None => {}
        }
    }

    /// Calls `cancelled` if `thread` is closed before [`unwatch`](Self::unwatch) is called.
    pub fn watch(&self, thread: &LuaThread, cancelled: impl FnOnce() + 'static) {
        let watch = Watch { _thread: thread.clone(), cancelled: Box::new(cancelled) };
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
        self.0.delays.borrow_mut().entry(thread.to_pointer()).or_default().push(key);
        self.0.timers.borrow_mut().insert(key, Alarm::Resume { thread, values });
    }

    /// Calls `notify` when so many milliseconds have passed, unless the timer is dropped before.
    pub fn timer(&self, milliseconds: f64, notify: impl FnOnce() + 'static) -> Timer {
        let key = self.timer_key(self.now() + milliseconds);
        self.0.timers.borrow_mut().insert(key, Alarm::Notify(Box::new(notify)));
        Timer { scheduler: self.clone(), key }
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
        let waiting = self.0.ready.take();
        let result = batch();
        self.0.ready.borrow_mut().extend(waiting);
        result
    }

    /// Runs `function` in a thread of its own, in this cycle.
    pub fn call(&self, function: LuaFunction, values: LuaMultiValue) {
        self.0.ready.borrow_mut().push_back(Job::Call { function, values });
    }

    /// A script got hold of the thread that is running, so it may not be used again for something else.
    pub fn mark_seen(&self) {
        self.0.running_unseen.set(false);
    }

    /// Reports an error that nobody waits for.
    pub fn report(&self, error: ScriptError) {
        (self.0.on_error)(error);
    }

    /// The time in milliseconds.
    #[must_use]
    pub fn now(&self) -> f64 {
        (self.0.clock)()
    }

    /// Lets go of everything: no thread runs any more, and what they waited for is given back.
    pub fn clear(&self) {
        let parked: Vec<Parked> = self.0.parked.borrow_mut().drain().map(|(_, parked)| parked).collect();
        for parked in parked {
            self.give_back(Some(parked));
        }
        // Taken out first and dropped after: what they hold may reach back here.
        let watches: Vec<_> = self.0.watches.borrow_mut().drain().collect();
        for (_, watch) in watches {
            (watch.cancelled)();
        }
        let _ = (self.0.ready.take(), self.0.deferred.take(), self.0.timers.take());
        let _ = (self.0.delays.take(), self.0.spare.take());
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
        let now = self.now();
        loop {
            let due = {
                let mut timers = self.0.timers.borrow_mut();
                match timers.first_entry() {
                    Some(entry) if entry.key().at <= now => entry.remove_entry(),
                    _ => break,
                }
            };
            match due {
                (_, Alarm::Wake { token, since }) => {
                    self.wake(token, LuaMultiValue::from_vec(vec![LuaValue::Number((now - since) / 1_000.0)]));
                }
                (key, Alarm::Resume { thread, values }) => {
                    self.forget_delay(&thread, key);
                    self.resume(thread, values);
                }
                (_, Alarm::Notify(notify)) => notify(),
            }
        }
    }

    fn forget_delay(&self, thread: &LuaThread, key: TimerKey) {
        let id = thread.to_pointer();
        let mut delays = self.0.delays.borrow_mut();
        if let Some(keys) = delays.get_mut(&id) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                delays.remove(&id);
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
        if !self.0.ready.borrow().is_empty() || !self.0.deferred.borrow().is_empty() {
            return Next::Now;
        }
        self.0.timers.borrow().first_key_value().map_or(Next::Idle, |(key, _)| Next::At(key.at))
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
            Job::Call { function, values } => self.run_call(lua, function, values),
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
        if !thread.is_resumable() {
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
        self.0.resumptions.set(self.0.resumptions.get() + 1);
        match raw::resume(lua, thread, values) {
            Ok(Resumed::Finished | Resumed::Yielded) => {}
            Ok(Resumed::Failed { value, frames }) => self.report(ScriptError::thrown(value, frames)),
            Err(error) => self.report(ScriptError::from_lua(&error, "")),
        }
    }

    fn timer_key(&self, at: f64) -> TimerKey {
        TimerKey { at, order: self.next_number() }
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
            .field("timers", &self.0.timers.borrow().len())
            .finish_non_exhaustive()
    }
}
