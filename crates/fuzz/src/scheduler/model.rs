//! The expected behavior of a plan: the rules of the scheduler, of signals and of coroutines, without Luau.

mod jobs;
mod queued;
mod threads;

use std::collections::{BTreeMap, HashMap, VecDeque};

use luau_runtime::scheduler::{Counts, Next};
use luau_runtime::task::MIN_WAIT_MS;

use self::queued::{Alarm, Consumer, Job};
use self::threads::{Chain, State, Thread};
use super::View;
use super::plan::{Body, Event, Plan, SIGNALS, SLOTS, TICK};

/// A thread, by its index in the list of all threads.
type Id = usize;

/// The values that a thread is resumed with, as the notes show them.
type Values = Vec<String>;

/// A thread that waits for one of our functions.
struct Parked {
    parking: u64,
    release: Release,
}

#[derive(Clone, Copy)]
enum Release {
    Timer(TimerKey),
    /// A waiter of a signal: the signal and the consumer.
    Waiter(usize, usize),
    /// A parking by the host.
    Hook(usize),
    Nothing,
}

/// The time in milliseconds, as bits that sort like the times, and the number of the call.
type TimerKey = (u64, u64);

pub(super) struct Model<'a> {
    plan: &'a Plan,
    now: f64,
    sequence: u64,
    threads: Vec<Thread<'a>>,
    named: [Option<Id>; SLOTS],
    ready: VecDeque<Job>,
    deferred: VecDeque<Job>,
    timers: BTreeMap<TimerKey, Alarm>,
    parked: HashMap<Id, Parked>,
    watches: HashMap<Id, usize>,
    /// All consumers so far, and the current ones of each signal.
    consumers: Vec<Consumer<'a>>,
    signals: [Vec<usize>; SIGNALS],
    connections: [Option<(usize, usize)>; SLOTS],
    /// The host's parkings that have not been woken.
    tokens: Vec<Option<(Id, u64)>>,
    /// The timers of libraries.
    timeouts: Vec<Option<TimerKey>>,
    watches_made: usize,
    /// The running chain.
    chain: Chain,
    preempted: Option<Chain>,
    notes: Vec<String>,
    errors: Vec<String>,
}

impl<'a> Model<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            now: 0.0,
            sequence: 0,
            threads: Vec::new(),
            named: [None; SLOTS],
            ready: VecDeque::new(),
            deferred: VecDeque::new(),
            timers: BTreeMap::new(),
            parked: HashMap::new(),
            watches: HashMap::new(),
            consumers: Vec::new(),
            signals: Default::default(),
            connections: [None; SLOTS],
            tokens: Vec::new(),
            timeouts: Vec::new(),
            watches_made: 0,
            chain: Chain::default(),
            preempted: None,
            notes: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Returns the expected view after an event.
    pub(super) fn play(&mut self, event: &'a Event) -> View {
        match event {
            Event::Start(body) => {
                let thread = self.thread(body);
                self.ready.push_back(Job::Resume(thread, Values::new()));
            }
            Event::Pass(ticks) => self.now += f64::from(*ticks) * TICK,
            Event::Turn(jobs) => self.turn(*jobs),
            Event::Fire(signal) => self.ready.push_back(Job::Fire(*signal, 0)),
            Event::Wake(number) => self.wake_token(*number, None, vec!["woken".to_owned()]),
            Event::Fail(number) => self.wake_token(*number, Some("broken".to_owned()), Values::new()),
            Event::Resume(slot) => self.queue(*slot, |model, job| model.ready.push_back(job)),
            Event::Defer(slot) => self.queue(*slot, |model, job| model.deferred.push_back(job)),
            Event::Delay(slot, ticks) => {
                if let Some(thread) = self.named[*slot] {
                    self.delay(f64::from(*ticks) * TICK, thread, Values::new());
                }
            }
            Event::Cancel(slot) => {
                if let Some(thread) = self.named[*slot] {
                    self.end(thread, "cancelled");
                }
            }
            Event::Watch(slot) => {
                if let Some(thread) = self.named[*slot] {
                    self.watches.insert(thread, self.watches_made);
                    self.watches_made += 1;
                }
            }
            Event::Unwatch(slot) => {
                if let Some(thread) = self.named[*slot] {
                    self.watches.remove(&thread);
                }
            }
            Event::Timer(ticks) => {
                let key = self.timer_key(f64::from(*ticks) * TICK);
                self.timers.insert(key, Alarm::Notify(self.timeouts.len()));
                self.timeouts.push(Some(key));
            }
            Event::DropTimer(number) => {
                if let Some(key) = self.timeouts.get_mut(*number).and_then(Option::take) {
                    self.timers.remove(&key);
                }
            }
            Event::Clear => self.clear(),
        }
        self.view()
    }

    fn queue(&mut self, slot: usize, queue: impl FnOnce(&mut Self, Job)) {
        if let Some(thread) = self.named[slot] {
            queue(self, Job::Resume(thread, Values::new()));
        }
    }

    fn view(&mut self) -> View {
        let next = self.next();
        let states = self.named.map(|named| named.map(|id| if self.is_resumable(id) { "alive" } else { "dead" }));
        View {
            notes: std::mem::take(&mut self.notes),
            errors: std::mem::take(&mut self.errors),
            next,
            counts: (next != Next::Now).then(|| self.counts()),
            states: states.to_vec(),
        }
    }

    fn next(&self) -> Next {
        if !self.ready.is_empty() || !self.deferred.is_empty() || self.preempted.is_some() {
            return Next::Now;
        }
        self.timers.first_key_value().map_or(Next::Idle, |((at, _), _)| Next::At(f64::from_bits(*at)))
    }

    fn counts(&self) -> Counts {
        let mut threads: Vec<Id> = self.parked.keys().copied().collect();
        threads.extend(self.timers.values().filter_map(Alarm::delayed_thread));
        threads.sort_unstable();
        threads.dedup();
        let timers = self.timers.values().filter(|alarm| !matches!(alarm, Alarm::Notify(_))).count();
        Counts { threads: threads.len(), timers }
    }

    fn note(&mut self, id: usize, values: &[String]) {
        let mut note = id.to_string();
        for value in values {
            note.push(' ');
            note.push_str(value);
        }
        self.notes.push(note);
    }

    fn thread(&mut self, body: &'a Body) -> Id {
        self.threads.push(Thread::new(body));
        self.threads.len() - 1
    }

    fn is_resumable(&self, thread: Id) -> bool {
        matches!(self.threads[thread].state, State::Fresh | State::Suspended)
    }

    fn number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    fn timer_key(&mut self, milliseconds: f64) -> TimerKey {
        ((self.now + milliseconds).to_bits(), self.number())
    }

    fn park(&mut self, thread: Id, release: Release) -> u64 {
        let parking = self.number();
        self.parked.insert(thread, Parked { parking, release });
        parking
    }

    fn sleep(&mut self, thread: Id, ticks: u32) {
        let key = self.timer_key((f64::from(ticks) * TICK).max(MIN_WAIT_MS));
        let since = self.now;
        let parking = self.park(thread, Release::Timer(key));
        self.timers.insert(key, Alarm::Wake { thread, parking, since });
    }

    fn delay(&mut self, milliseconds: f64, thread: Id, values: Values) {
        let key = self.timer_key(milliseconds);
        self.timers.insert(key, Alarm::Resume(thread, values));
    }

    /// Cancels whatever a thread waits for.
    fn release(&mut self, thread: Id) {
        match self.parked.remove(&thread).map(|parked| parked.release) {
            Some(Release::Timer(key)) => drop(self.timers.remove(&key)),
            Some(Release::Waiter(signal, consumer)) => self.signals[signal].retain(|other| *other != consumer),
            Some(Release::Hook(number)) => self.notes.push(format!("released {number}")),
            Some(Release::Nothing) | None => {}
        }
    }

    /// Forgets a thread that was ended.
    fn forget(&mut self, thread: Id, message: &str) {
        self.release(thread);
        self.timers.retain(|_, alarm| alarm.delayed_thread() != Some(thread));
        self.tell_watch(thread, message);
    }

    /// Notifies the watcher of a thread. Returns true if there was one.
    fn tell_watch(&mut self, thread: Id, message: &str) -> bool {
        let watch = self.watches.remove(&thread);
        if let Some(number) = watch {
            self.notes.push(format!("ended {number}: {message}"));
        }
        watch.is_some()
    }

    /// Ends a thread on behalf of the host, whatever it is doing.
    fn end(&mut self, thread: Id, message: &str) {
        if self.chain.bottom() == Some(thread) {
            self.chain.is_doomed = true;
        } else {
            if self.preempted.as_ref().and_then(Chain::bottom) == Some(thread) {
                self.preempted = None;
            }
            if self.is_resumable(thread) {
                self.threads[thread].close();
            }
        }
        self.forget(thread, message);
    }

    fn clear(&mut self) {
        let mut ended: Vec<Id> = self.parked.keys().chain(self.watches.keys()).copied().collect();
        ended.extend(self.timers.values().filter_map(Alarm::delayed_thread));
        ended.extend(self.ready.iter().chain(&self.deferred).filter_map(Job::resumed_thread));
        ended.extend(self.preempted.as_ref().and_then(Chain::bottom));
        let before = self.notes.len();
        for thread in ended {
            self.release(thread);
            self.tell_watch(thread, "cleared");
            if self.is_resumable(thread) {
                self.threads[thread].close();
            }
        }
        self.notes[before..].sort();
        self.ready.clear();
        self.deferred.clear();
        self.timers.clear();
        self.preempted = None;
    }
}
