//! The jobs of a cycle, and the turns that run them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use mlua::prelude::*;

use super::arguments::Arguments;
use super::turn_clock::TurnClock;
use super::{Next, ResumeToken, Scheduler, Urgency};
use crate::call_error::CallError;
use crate::ffi;

/// A unit of work.
pub(super) enum Job {
    /// Resumes a parked thread, with an error to raise or with values to return.
    Wake { token: ResumeToken, error: Option<CallError>, values: LuaMultiValue },
    /// Resumes a thread on a script's request.
    Resume { thread: LuaThread, arguments: Arguments },
    /// Calls a function in a thread that no script holds.
    Call { callee: Rc<dyn Callable>, values: LuaMultiValue },
    /// Calls into a library, which determines only now which threads an event concerns.
    Dispatch(Box<dyn FnOnce(&Lua)>),
    /// Does the same for a library with many events, without an allocation for each.
    EventQueue(Rc<dyn EventQueue>),
}

/// A provider of a function to call.
pub trait Callable {
    /// Returns the function to call now, if there is one. Called just before the function is.
    fn function(self: Rc<Self>) -> Option<LuaFunction>;
}

/// A queue of events to deliver.
pub trait EventQueue {
    /// Delivers the next event.
    fn deliver(self: Rc<Self>, lua: &Lua);
}

/// The remaining jobs of this cycle: first the ready ones, in the order of the events that created them, then the deferred ones.
#[derive(Default)]
pub(super) struct JobQueue {
    ready: RefCell<VecDeque<Job>>,
    deferred: RefCell<VecDeque<Job>>,
}

impl JobQueue {
    pub(super) fn push(&self, job: Job) {
        self.ready.borrow_mut().push_back(job);
    }

    pub(super) fn push_front(&self, job: Job) {
        self.ready.borrow_mut().push_front(job);
    }

    /// Adds a job to the end of the cycle.
    pub(super) fn defer(&self, job: Job) {
        self.deferred.borrow_mut().push_back(job);
    }

    pub(super) fn pop(&self) -> Option<Job> {
        let ready = self.ready.borrow_mut().pop_front();
        ready.or_else(|| self.deferred.borrow_mut().pop_front())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.borrow().is_empty() && self.deferred.borrow().is_empty()
    }

    /// Runs `batch`, and moves the jobs that it makes ready to the front.
    pub(super) fn run_before<R>(&self, batch: impl FnOnce() -> R) -> R {
        let waiting = self.ready.borrow().len();
        let result = batch();
        if waiting > 0 {
            let mut ready = self.ready.borrow_mut();
            // `rotate_right` moves the shorter of the two parts.
            let added = ready.len().saturating_sub(waiting);
            ready.rotate_right(added);
        }
        result
    }

    /// Makes the deferred jobs ready. If the cycle was cut short, they still come before jobs from later events.
    pub(super) fn end_cycle(&self) {
        self.ready.borrow_mut().append(&mut self.deferred.borrow_mut());
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&Job)) {
        self.ready.borrow().iter().chain(self.deferred.borrow().iter()).for_each(&mut visit);
    }

    /// Takes all jobs.
    pub(super) fn take(&self) -> impl Iterator<Item = Job> + use<> {
        self.ready.take().into_iter().chain(self.deferred.take())
    }
}

impl Scheduler {
    /// Calls `change`, which changes the queues because of an event that can wait, and then requests a turn.
    ///
    /// Every host callback that may wake a thread goes through here or [`notify_as`](Self::notify_as).
    pub fn notify<R>(&self, change: impl FnOnce() -> R) -> R {
        self.notify_as(Urgency::CanWait, change)
    }

    /// Calls `change`, and then requests a turn.
    pub fn notify_as<R>(&self, urgency: Urgency, change: impl FnOnce() -> R) -> R {
        let result = change();
        self.request_turn(urgency);
        result
    }

    /// Has the driver run a turn, unless one is already running.
    pub fn request_turn(&self, urgency: Urgency) {
        if self.0.in_turn.get() {
            return;
        }
        let driver = self.0.driver.borrow().clone();
        if let Some(driver) = driver {
            driver(urgency);
        }
    }

    /// Runs what is due until nothing is left or `out_of_time` returns true. `out_of_time` receives the milliseconds that the host has
    /// waited since `waiting_since`, or since this turn began if that is none. A first thread that yields or ends at once does not count.
    ///
    /// Timers that become due meanwhile wait for the next turn. A call from inside a turn does nothing.
    pub fn turn(&self, lua: &Lua, waiting_since: Option<f64>, mut out_of_time: impl FnMut(f64) -> bool) -> Next {
        if self.0.in_turn.replace(true) {
            return Next::Now;
        }
        self.0.time.set(None);
        self.0.memory_limit.set(ffi::limit_of(lua));
        self.collect_due();
        let mut clock = TurnClock::new(waiting_since.or(self.0.time.get()), self.resumptions());
        let mut is_time_left = || !out_of_time(self.elapsed(&mut clock));
        let mut continues = !self.resume_preempted(lua) || is_time_left();
        // Nothing else runs until a preempted thread yields voluntarily.
        while continues && self.0.preempted.borrow().is_none() {
            let Some(job) = self.0.jobs.pop() else { break };
            if ffi::ensure_reserve(lua, || self.now()) {
                self.run(lua, job);
            } else {
                self.refuse(lua, job);
            }
            continues = is_time_left();
        }
        self.0.jobs.end_cycle();
        self.0.in_turn.set(false);
        self.next()
    }

    /// Runs a job.
    pub(super) fn run(&self, lua: &Lua, job: Job) {
        match job {
            Job::Wake { token, error, values } => self.run_wake(lua, &token, error, values),
            Job::Resume { thread, arguments } => {
                // The thread may have been cancelled or have ended meanwhile.
                if ffi::is_resumable(&thread) {
                    self.run_thread(lua, &thread, arguments.into_values());
                }
            }
            Job::Call { callee, values } => {
                if let Some(function) = callee.function() {
                    self.run_call(lua, function, values);
                }
            }
            Job::Dispatch(dispatch) => dispatch(lua),
            Job::EventQueue(events) => events.deliver(lua),
        }
    }

    /// Returns the milliseconds since a turn began, or 0 if no job is left to postpone, or no script has run.
    fn elapsed(&self, clock: &mut TurnClock) -> f64 {
        if !clock.has_run(self.resumptions()) || self.next() != Next::Now {
            return 0.0;
        }
        clock.elapsed(self.has_run_long(), &self.0.time, || self.now())
    }

    /// Resumes `thread` in this cycle, before deferred jobs.
    pub fn resume(&self, thread: LuaThread, arguments: impl Into<Arguments>) {
        self.0.jobs.push(Job::Resume { thread, arguments: arguments.into() });
    }

    /// Resumes `thread` at the end of this cycle.
    pub fn defer(&self, thread: LuaThread, arguments: impl Into<Arguments>) {
        self.0.jobs.defer(Job::Resume { thread, arguments: arguments.into() });
    }

    /// Calls `dispatch` in this cycle, after the threads that are ready.
    pub fn dispatch(&self, dispatch: impl FnOnce(&Lua) + 'static) {
        self.0.jobs.push(Job::Dispatch(Box::new(dispatch)));
    }

    /// Calls `dispatch` at the end of this cycle.
    pub fn dispatch_deferred(&self, dispatch: impl FnOnce(&Lua) + 'static) {
        self.0.jobs.defer(Job::Dispatch(Box::new(dispatch)));
    }

    /// Runs `batch`, and moves the jobs that it makes ready to the front: jobs of one event run before the next event.
    pub fn run_before_queue<R>(&self, batch: impl FnOnce() -> R) -> R {
        self.0.jobs.run_before(batch)
    }

    /// Has `events` deliver the next one in this cycle, after the threads that are ready.
    pub fn deliver(&self, events: Rc<dyn EventQueue>) {
        self.0.jobs.push(Job::EventQueue(events));
    }

    /// Calls the function of `callee` in a thread of its own, in this cycle.
    pub fn call(&self, callee: Rc<dyn Callable>, values: LuaMultiValue) {
        self.0.jobs.push(Job::Call { callee, values });
    }

    /// Does the same, before any other job.
    pub fn call_first(&self, callee: Rc<dyn Callable>, values: LuaMultiValue) {
        self.0.jobs.push_front(Job::Call { callee, values });
    }
}
