//! Runs the jobs: queues, timers and signals.

use super::queued::{Alarm, Consumer, Job};
use super::threads::Chain;
use super::{Id, Model, Release, Values};

impl<'a> Model<'a> {
    /// Runs jobs, up to a limit.
    pub(super) fn turn(&mut self, most: u32) {
        self.collect_due();
        let mut left = most;
        if let Some(chain) = self.preempted.take() {
            self.go_on(chain);
            left -= 1;
        }
        while left > 0 && self.preempted.is_none() {
            let Some(job) = self.ready.pop_front().or_else(|| self.deferred.pop_front()) else { break };
            self.run(job);
            left -= 1;
        }
        self.ready.append(&mut self.deferred);
    }

    fn collect_due(&mut self) {
        while let Some(entry) = self.timers.first_entry().filter(|entry| f64::from_bits(entry.key().0) <= self.now) {
            match entry.remove() {
                Alarm::Wake { thread, parking, since } => {
                    let seconds = (self.now - since) / 1_000.0;
                    self.wake(thread, parking, None, vec![seconds.to_string()]);
                }
                Alarm::Resume(thread, values) => self.ready.push_back(Job::Resume(thread, values)),
                Alarm::Notify(number) => self.notes.push(format!("timer {number}")),
            }
        }
    }

    fn run(&mut self, job: Job) {
        match job {
            Job::Wake { thread, parking, failure, values } => {
                if self.parked.get(&thread).is_some_and(|parked| parked.parking == parking) {
                    self.parked.remove(&thread);
                    if self.is_resumable(thread) {
                        self.run_thread(thread, failure, &values);
                    }
                }
            }
            Job::Resume(thread, values) => {
                if self.is_resumable(thread) {
                    // Whatever it waits for is not what resumes it.
                    self.release(thread);
                    self.run_thread(thread, None, &values);
                }
            }
            Job::Fire(signal, value) => self.fire(signal, value),
            Job::Handle { signal, consumer, value } => self.handle(signal, consumer, value),
        }
    }

    fn run_thread(&mut self, thread: Id, failure: Option<String>, values: &[String]) {
        self.chain = Chain::default();
        self.enter(thread, failure, values);
        self.go();
    }

    pub(super) fn wake(&mut self, thread: Id, parking: u64, failure: Option<String>, values: Values) {
        if let Some(parked) = self.parked.get_mut(&thread).filter(|parked| parked.parking == parking) {
            parked.release = Release::Nothing;
            self.ready.push_back(Job::Wake { thread, parking, failure, values });
        }
    }

    pub(super) fn wake_token(&mut self, number: usize, failure: Option<String>, values: Values) {
        if let Some((thread, parking)) = self.tokens.get_mut(number).and_then(Option::take) {
            self.wake(thread, parking, failure, values);
        }
    }

    /// Runs `batch`, and puts the jobs that it makes ready before all others.
    fn ahead(&mut self, batch: impl FnOnce(&mut Self)) {
        let mut waiting = std::mem::take(&mut self.ready);
        batch(self);
        self.ready.append(&mut waiting);
    }

    fn fire(&mut self, signal: usize, value: usize) {
        let consumers = self.signals[signal].clone();
        self.ahead(|model| {
            for consumer in consumers {
                match model.consumers[consumer] {
                    Consumer::Handler { .. } => model.ready.push_back(Job::Handle { signal, consumer, value }),
                    Consumer::Waiter { thread, parking } => {
                        model.signals[signal].retain(|other| *other != consumer);
                        model.wake(thread, parking, None, vec![value.to_string()]);
                    }
                }
            }
        });
    }

    fn handle(&mut self, signal: usize, consumer: usize, value: usize) {
        let Consumer::Handler { body, once, is_connected: true } = self.consumers[consumer] else { return };
        if once {
            self.disconnect(signal, consumer);
        }
        let thread = self.thread(body);
        self.run_thread(thread, None, &[value.to_string()]);
    }

    /// Disconnects a handler. Returns true if it was connected.
    pub(super) fn disconnect(&mut self, signal: usize, consumer: usize) -> bool {
        self.signals[signal].retain(|other| *other != consumer);
        let Consumer::Handler { is_connected, .. } = &mut self.consumers[consumer] else { return false };
        std::mem::replace(is_connected, false)
    }

    pub(super) fn listen(&mut self, signal: usize, consumer: Consumer<'a>) -> usize {
        self.consumers.push(consumer);
        self.signals[signal].push(self.consumers.len() - 1);
        self.consumers.len() - 1
    }
}
