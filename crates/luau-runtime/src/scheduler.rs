//! Runs the threads of a VM.
//!
//! The scheduler knows no JS and no clock. A function tells it the time, and it is driven from outside: [`turn`] runs what is due and
//! returns when to come back. So tests can run it natively, with a clock that they control.
//!
//! A *cycle* first runs the ready jobs, in the order of the events that made them ready, then the deferred jobs, until nothing is left. Due
//! timers begin a cycle.
//!
//! A thread that waits for something is *parked*: the scheduler holds it, and the code that will wake it holds a [`ResumeToken`]. A token
//! works once, and only while the thread waits for the same thing. If a script resumes the thread by hand or cancels it, the token becomes
//! stale, and a stale token has no effect.
//!
//! Threads are resumed only from [`turn`], never from inside a call made by Luau.
//!
//! [`turn`]: Scheduler::turn

mod arguments;
mod cycle;
mod ending;
mod limits;
mod parking;
mod resume_token;
mod running;
mod thread_record;
mod timers;
mod turn_clock;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

pub use self::arguments::Arguments;
pub use self::cycle::{Callable, EventQueue};
use self::cycle::{Job, JobQueue};
pub use self::limits::Limits;
pub use self::resume_token::ResumeToken;
use self::running::ThreadPool;
pub use self::thread_record::OnEnd;
use self::thread_record::ThreadTable;
pub use self::timers::Timer;
use self::timers::{Alarm, Delayed, TimerKey, Timers};
use crate::error::ScriptError;
use crate::ffi::{self, Guard, Interrupted, ThreadId};

/// The next event after [`Scheduler::turn`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Nothing until an event arrives.
    Idle,
    /// Nothing until this time, in milliseconds.
    At(f64),
    /// Another turn, once the event loop has had control.
    Now,
}

/// The urgency of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The turn must run before the call returns, because the host expects that.
    AtOnce,
    /// The turn may run now, or after the event loop has had control if it has waited too long.
    CanWait,
    /// The turn should run now unless the event loop has waited much longer: the host expects a chunk to start at once, and compiling it
    /// may have taken long.
    AfterWork,
}

/// The function that runs the scheduler's turns; see [`Scheduler::set_driver`].
pub type Driver = Rc<dyn Fn(Urgency)>;

/// The outcome of resuming a thread.
enum Outcome {
    Yielded,
    Interrupted(Interrupted),
    Finished,
    Failed(ScriptError),
}

/// A thread that was interrupted so that the event loop gets control.
struct Preempted {
    interrupted: Interrupted,
    /// The time that it has run since it last yielded voluntarily, in milliseconds.
    used: f64,
}

/// The activities of a VM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of threads that run, wait, or are about to be resumed.
    pub threads: usize,
    /// The number of the scripts' timers.
    pub timers: usize,
}

/// The scheduler of one VM. A clone is another handle to the same scheduler.
#[derive(Clone)]
pub struct Scheduler(Rc<Inner>);

struct Inner {
    /// The clock, in milliseconds since an arbitrary start. It never goes back.
    clock: Rc<dyn Fn() -> f64>,
    /// The last time read in this turn. Reading the clock takes longer than most other things in a turn.
    time: Cell<Option<f64>>,
    limits: Cell<Limits>,
    /// The memory that scripts may have, in bytes, when the turn began.
    memory_limit: Cell<Option<usize>>,
    /// The handler for errors that nothing else receives.
    on_error: Box<dyn Fn(ScriptError)>,
    driver: RefCell<Option<Driver>>,
    /// See [`Scheduler::resume_sentinel`].
    resume_sentinel: OnceCell<LuaTable>,
    jobs: JobQueue,
    timers: RefCell<Timers>,
    threads: RefCell<ThreadTable>,
    /// Resumed before any other job.
    preempted: RefCell<Option<Preempted>>,
    /// The running thread, which its resumer keeps alive, and its guard.
    running: RefCell<Option<(ThreadId, Rc<Guard>)>>,
    /// The guard of the last thread, for reuse.
    guard: RefCell<Option<Rc<Guard>>>,
    pool: ThreadPool,
    in_turn: Cell<bool>,
    resumptions: Cell<u64>,
}

impl Scheduler {
    /// Creates a scheduler with nothing to do.
    ///
    /// `clock` returns the time in milliseconds and never goes back. `on_error` gets the errors that nothing else receives.
    pub fn new(clock: impl Fn() -> f64 + 'static, on_error: impl Fn(ScriptError) + 'static) -> Self {
        Self(Rc::new(Inner {
            clock: Rc::new(clock),
            time: Cell::default(),
            limits: Cell::default(),
            memory_limit: Cell::default(),
            on_error: Box::new(on_error),
            driver: RefCell::default(),
            resume_sentinel: OnceCell::new(),
            jobs: JobQueue::default(),
            timers: RefCell::default(),
            threads: RefCell::default(),
            preempted: RefCell::default(),
            running: RefCell::default(),
            guard: RefCell::default(),
            pool: ThreadPool::default(),
            in_turn: Cell::new(false),
            resumptions: Cell::new(0),
        }))
    }

    /// Sets the function that is called if there is something to do after an event and no turn is running. It should call
    /// [`turn`](Self::turn).
    pub fn set_driver(&self, driver: Driver) {
        *self.0.driver.borrow_mut() = Some(driver);
    }

    /// Limits the time that threads may run. By default there are no limits, which makes running cheaper.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn set_limits(&self, lua: &Lua, limits: Limits) -> LuaResult<()> {
        self.0.limits.set(limits);
        ffi::set_interrupts(lua, limits.are_set())
    }

    /// Returns true if the last thread ran long enough for its guard to read the clock. The guard does not see time spent in C.
    #[must_use]
    pub fn has_run_long(&self) -> bool {
        self.0.guard.borrow().as_deref().is_none_or(Guard::has_read_clock)
    }

    /// Resumes `thread` after this many milliseconds.
    pub fn delay(&self, milliseconds: f64, thread: LuaThread, arguments: impl Into<Arguments>) {
        let id = ffi::id_of(&thread);
        let key =
            self.add_timer(milliseconds, Alarm::Resume(Box::new(Delayed { thread, arguments: arguments.into() })));
        self.0.threads.borrow_mut().add_delay(id, key);
    }

    /// Calls `notify` after this many milliseconds, unless the timer is dropped earlier.
    pub fn timer(&self, milliseconds: f64, notify: impl FnOnce() + 'static) -> Timer {
        Timer::new(self.clone(), self.add_timer(milliseconds, Alarm::Notify(Box::new(notify))))
    }

    /// Notes that a script has obtained a reference to the running thread, so that the thread is not reused.
    pub fn note_seen(&self) {
        self.0.pool.note_seen();
    }

    /// Returns the time in milliseconds.
    #[must_use]
    pub fn now(&self) -> f64 {
        (self.0.clock)()
    }

    /// Counts the activities. A thread that only scripts refer to does not count.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut threads: HashSet<ThreadId> = self.0.threads.borrow().waiting().collect();
        let mut without_thread = 0;
        self.0.jobs.for_each(|job| match job {
            Job::Resume { thread, .. } => {
                threads.insert(ffi::id_of(thread));
            }
            Job::Call { .. } => without_thread += 1,
            Job::Wake { .. } | Job::Dispatch(_) | Job::EventQueue(_) => {}
        });
        threads.extend(self.0.preempted.borrow().iter().map(|preempted| ffi::id_of(preempted.interrupted.thread())));
        threads.extend(self.running_id());
        Counts { threads: threads.len() + without_thread, timers: self.0.timers.borrow().count() }
    }

    /// Returns the value that marks the resumption of a parked thread; see `function.luau`.
    pub(crate) fn resume_sentinel(&self, lua: &Lua) -> LuaResult<LuaTable> {
        if let Some(sentinel) = self.0.resume_sentinel.get() {
            return Ok(sentinel.clone());
        }
        let sentinel = lua.create_table()?;
        Ok(self.0.resume_sentinel.get_or_init(|| sentinel).clone())
    }

    /// Makes the jobs of due timers ready.
    fn collect_due(&self) {
        if self.0.timers.borrow().first().is_none() {
            return;
        }
        let now = self.now();
        self.0.time.set(Some(now));
        loop {
            let due = self.0.timers.borrow_mut().pop_due(now);
            match due {
                Some((_, Alarm::Wake { token, since })) => {
                    self.wake(token, LuaMultiValue::from_vec(vec![LuaValue::Number((now - since) / 1_000.0)]));
                }
                Some((key, Alarm::Resume(delayed))) => {
                    let Delayed { thread, arguments } = *delayed;
                    self.0.threads.borrow_mut().remove_delay(ffi::id_of(&thread), key);
                    self.resume(thread, arguments);
                }
                Some((_, Alarm::Notify(notify))) => notify(),
                None => break,
            }
        }
    }

    /// Returns the number of resumptions so far. If it has not changed, no script has run in between.
    #[must_use]
    pub fn resumptions(&self) -> u64 {
        self.0.resumptions.get()
    }

    /// Returns true if no thread runs and nothing will happen until an event arrives.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.0.in_turn.get() && self.next() == Next::Idle
    }

    /// Returns true if [`counts`](Self::counts) has anything to count, or if there is something to do now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let has_threads = {
            let threads = self.0.threads.borrow();
            threads.parked_count() > 0 || threads.has_delays()
        };
        has_threads
            || self.0.timers.borrow().count() > 0
            || self.0.running.borrow().is_some()
            || self.next() == Next::Now
    }

    /// Returns the next event.
    #[must_use]
    pub fn next(&self) -> Next {
        if !self.0.jobs.is_empty() || self.0.preempted.borrow().is_some() {
            return Next::Now;
        }
        self.0.timers.borrow().first().map_or(Next::Idle, Next::At)
    }

    fn add_timer(&self, milliseconds: f64, alarm: Alarm) -> TimerKey {
        let at = self.now() + milliseconds;
        let mut timers = self.0.timers.borrow_mut();
        let key = timers.key(at);
        timers.insert(key, alarm);
        key
    }

    fn remove_timer(&self, key: TimerKey) {
        let alarm = self.0.timers.borrow_mut().remove(key);
        // Dropped after the borrow has ended, because values in the alarm may call back here in their `Drop`.
        drop(alarm);
    }

    fn running_id(&self) -> Option<ThreadId> {
        self.0.running.borrow().as_ref().map(|(thread, _)| *thread)
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("parked", &self.0.threads.borrow().parked_count())
            .field("timers", &self.0.timers.borrow().count())
            .finish_non_exhaustive()
    }
}
