//! Coroutines: their chain of resumes, and their steps.

use super::super::plan::{Body, Does, How, LIMIT, SPELL, Step, TICK};
use super::queued::{Consumer, Job};
use super::{Id, Model, Release};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Fresh,
    Suspended,
    /// Running, or waiting for a thread that it has resumed.
    Active,
    Dead,
}

pub(super) struct Thread<'a> {
    pub(super) state: State,
    frames: Vec<Frame<'a>>,
    /// The unfinished operation, while other threads run.
    does: Option<Doing>,
}

/// A running function.
struct Frame<'a> {
    body: &'a Body,
    at: usize,
    /// The step that called it with `pcall`; none for the function of the thread.
    caught_by: Option<usize>,
}

#[derive(Clone, Copy)]
enum Doing {
    /// The step notes the values that the thread is resumed with.
    Waits(usize),
    /// The step started another thread, which gets a name afterwards, or resumed a named one.
    Spawns {
        id: usize,
        child: Id,
        slot: Option<usize>,
    },
    Resumes(usize),
    Computes(usize),
}

/// The thread that the scheduler resumed, and above it the threads that scripts resumed.
#[derive(Default)]
pub(super) struct Chain {
    threads: Vec<Id>,
    /// The time that it has run without waiting, in milliseconds.
    used: f64,
    /// True once the host has ended it.
    pub(super) is_doomed: bool,
}

impl Chain {
    pub(super) fn bottom(&self) -> Option<Id> {
        self.threads.first().copied()
    }
}

/// The way in which a thread returns control to its resumer.
enum Back {
    Yielded,
    Finished,
    Failed(String),
}

/// The state of the thread after a step.
enum After {
    GoesOn,
    Waits,
    Fails(String),
    /// Another thread runs, or none.
    Left,
}

const TIMED_OUT: &str = "timed out: the script has run longer than its time limit without waiting";

impl<'a> Thread<'a> {
    pub(super) fn new(body: &'a Body) -> Self {
        Self { state: State::Fresh, frames: vec![Frame { body, at: 0, caught_by: None }], does: None }
    }

    pub(super) fn close(&mut self) {
        (self.state, self.does) = (State::Dead, None);
        self.frames.clear();
    }
}

impl<'a> Model<'a> {
    /// Resumes a thread on top of the running ones.
    pub(super) fn enter(&mut self, thread: Id, failure: Option<String>, values: &[String]) {
        self.chain.threads.push(thread);
        let state = std::mem::replace(&mut self.threads[thread].state, State::Active);
        if state == State::Fresh {
            let id = self.threads[thread].frames[0].body.id;
            self.note(id, values);
            return;
        }
        match (self.threads[thread].does.take(), failure) {
            (Some(Doing::Waits(_)), Some(failure)) => self.raise(thread, failure),
            (Some(Doing::Waits(id)), None) => self.note(id, values),
            _ => unreachable!("a resumed thread was waiting"),
        }
    }

    /// Continues a preempted chain.
    pub(super) fn go_on(&mut self, chain: Chain) {
        let Some(thread) = chain.bottom().filter(|thread| self.is_resumable(*thread)) else { return };
        self.chain = chain;
        self.threads[thread].state = State::Active;
        if let Some(Doing::Computes(id)) = self.threads[thread].does.take() {
            self.note(id, &[]);
        }
        self.go();
    }

    /// Runs until the scheduler gets control back.
    pub(super) fn go(&mut self) {
        while let Some(thread) = self.chain.threads.last().copied() {
            if self.chain.is_doomed {
                self.end_all();
            } else {
                self.step(thread);
            }
        }
        self.chain = Chain::default();
    }

    /// Ends all threads of a terminated chain, which happens at its next call.
    fn end_all(&mut self) {
        for thread in std::mem::take(&mut self.chain.threads) {
            self.threads[thread].close();
        }
    }

    fn step(&mut self, thread: Id) {
        let frame = self.threads[thread].frames.last_mut().expect("a thread that runs has a function");
        let body = frame.body;
        let Some(step) = body.steps.get(frame.at) else {
            let caught_by = frame.caught_by;
            self.threads[thread].frames.pop();
            match caught_by {
                Some(id) => self.note(id, &["true".to_owned()]),
                None => self.leave(thread, Back::Finished),
            }
            return;
        };
        frame.at += 1;
        match self.perform(thread, step) {
            After::GoesOn | After::Left => {}
            After::Waits => {
                self.threads[thread].does = Some(Doing::Waits(step.id));
                self.leave(thread, Back::Yielded);
            }
            After::Fails(message) => self.raise(thread, message),
        }
    }

    fn raise(&mut self, thread: Id, message: String) {
        while let Some(frame) = self.threads[thread].frames.pop() {
            if let Some(id) = frame.caught_by {
                return self.note(id, &["false".to_owned(), message]);
            }
        }
        self.leave(thread, Back::Failed(message));
    }

    /// Returns control from the top of the chain to its resumer.
    fn leave(&mut self, thread: Id, back: Back) {
        self.chain.threads.pop();
        match &back {
            Back::Yielded => self.threads[thread].state = State::Suspended,
            Back::Finished | Back::Failed(_) => self.threads[thread].close(),
        }
        let Some(below) = self.chain.threads.last().copied() else {
            if let Back::Failed(message) = back
                && !self.tell_watch(thread, &message)
            {
                self.errors.push(message);
            }
            return;
        };
        match (self.threads[below].does.take(), back) {
            (Some(Doing::Spawns { id, child, slot }), back) => {
                if let Back::Failed(message) = back {
                    self.errors.push(message);
                }
                if let Some(slot) = slot {
                    self.named[slot] = Some(child);
                    self.note(id, &[]);
                } else {
                    self.note(id, &["true".to_owned()]);
                }
            }
            (Some(Doing::Resumes(id)), Back::Failed(message)) => self.note(id, &["false".to_owned(), message]),
            (Some(Doing::Resumes(id)), _) => self.note(id, &["true".to_owned()]),
            _ => unreachable!("a returning thread was resumed"),
        }
    }

    fn perform(&mut self, thread: Id, step: &'a Step) -> After {
        let id = step.id;
        match &step.does {
            Does::Wait(ticks) => {
                self.sleep(thread, *ticks);
                return After::Waits;
            }
            Does::Yield => return After::Waits,
            Does::Park => {
                let parking = self.park(thread, Release::Hook(self.tokens.len()));
                self.tokens.push(Some((thread, parking)));
                return After::Waits;
            }
            Does::WaitFor(signal) => {
                let parking = self.park(thread, Release::Nothing);
                let consumer = self.listen(*signal, Consumer::Waiter { thread, parking });
                if let Some(parked) = self.parked.get_mut(&thread) {
                    parked.release = Release::Waiter(*signal, consumer);
                }
                return After::Waits;
            }
            Does::Begin(how, body, slot) => return self.begin(thread, id, *how, body, *slot),
            Does::Again(how, slot) => return self.again(thread, id, *how, self.named[*slot]),
            Does::Compute => return self.compute(thread, id),
            Does::Fail => return After::Fails(format!("failed {id}")),
            Does::Try(body) => {
                self.threads[thread].frames.push(Frame { body, at: 0, caught_by: Some(id) });
                self.note(body.id, &[]);
            }
            Does::Cancel(slot) | Does::Close(slot) => {
                let is_idle = |id: &Id| self.threads[*id].state != State::Active;
                let target = self.named[*slot].filter(is_idle);
                if let Some(target) = target {
                    self.forget(target, "the thread was cancelled");
                    self.threads[target].close();
                }
                self.note(id, &[target.is_some().to_string()]);
            }
            Does::Connect { signal, once, body, slot } => {
                let handler = Consumer::Handler { body, once: *once, is_connected: true };
                self.connections[*slot] = Some((*signal, self.listen(*signal, handler)));
                self.note(id, &[]);
            }
            Does::Disconnect(slot) => match self.connections[*slot] {
                Some((signal, consumer)) => {
                    let was_connected = self.disconnect(signal, consumer);
                    self.note(id, &[was_connected.to_string(), "false".to_owned()]);
                }
                None => self.note(id, &[]),
            },
            Does::Name(slot) => {
                self.named[*slot] = Some(thread);
                self.note(id, &[]);
            }
            Does::Status(slot) => {
                let status = self.named[*slot].map_or("nil", |named| self.status(named));
                self.note(id, &[status.to_owned()]);
            }
            Does::Fire(signal) => {
                self.ready.push_back(Job::Fire(*signal, id));
                self.note(id, &[]);
            }
            Does::End(slot) => {
                if let Some(target) = self.named[*slot] {
                    self.end(target, "finished");
                }
                if !self.chain.is_doomed {
                    self.note(id, &[]);
                }
            }
        }
        After::GoesOn
    }

    fn status(&self, thread: Id) -> &'static str {
        match self.threads[thread].state {
            State::Fresh | State::Suspended => "suspended",
            State::Active if self.chain.threads.last() == Some(&thread) => "running",
            State::Active => "normal",
            State::Dead => "dead",
        }
    }

    fn begin(&mut self, thread: Id, id: usize, how: How, body: &'a Body, slot: usize) -> After {
        let child = self.thread(body);
        let values = vec![id.to_string()];
        match how {
            How::Spawn => {
                self.threads[thread].does = Some(Doing::Spawns { id, child, slot: Some(slot) });
                self.enter(child, None, &values);
                return After::Left;
            }
            How::Defer => self.deferred.push_back(Job::Resume(child, values)),
            How::Delay(ticks) => self.delay(f64::from(ticks) * TICK, child, values),
            How::Plain => {}
        }
        self.named[slot] = Some(child);
        self.note(id, &[]);
        After::GoesOn
    }

    fn again(&mut self, thread: Id, id: usize, how: How, target: Option<Id>) -> After {
        let values = vec![id.to_string()];
        let Some(target) = target else {
            // `coroutine.resume` is not called without a thread.
            let noted = if let How::Plain = how { vec![] } else { vec!["false".to_owned()] };
            self.note(id, &noted);
            return After::GoesOn;
        };
        let is_dead = self.threads[target].state == State::Dead;
        match how {
            How::Spawn | How::Plain if self.is_resumable(target) => {
                let spawns = Doing::Spawns { id, child: target, slot: None };
                self.threads[thread].does = Some(if let How::Spawn = how { spawns } else { Doing::Resumes(id) });
                self.release(target);
                self.enter(target, None, &values);
                return After::Left;
            }
            How::Plain => {
                let message = format!("cannot resume {} coroutine", self.status(target));
                self.note(id, &["false".to_owned(), message]);
                return After::GoesOn;
            }
            How::Defer if !is_dead => self.deferred.push_back(Job::Resume(target, values)),
            How::Delay(ticks) if !is_dead => self.delay(f64::from(ticks) * TICK, target, values),
            How::Spawn | How::Defer | How::Delay(_) => {
                self.note(id, &["false".to_owned()]);
                return After::GoesOn;
            }
        }
        self.note(id, &["true".to_owned()]);
        After::GoesOn
    }

    fn compute(&mut self, thread: Id, id: usize) -> After {
        if self.chain.threads.len() > 1 {
            self.note(id, &[]);
            return After::GoesOn;
        }
        self.now += SPELL;
        self.chain.used += SPELL;
        if self.plan.has_limit && self.chain.used >= LIMIT {
            self.end_all();
            if !self.tell_watch(thread, TIMED_OUT) {
                self.errors.push(TIMED_OUT.to_owned());
            }
            return After::Left;
        }
        if self.plan.has_slices {
            self.threads[thread].does = Some(Doing::Computes(id));
            self.threads[thread].state = State::Suspended;
            self.preempted = Some(std::mem::take(&mut self.chain));
            return After::Left;
        }
        self.note(id, &[]);
        After::GoesOn
    }
}
