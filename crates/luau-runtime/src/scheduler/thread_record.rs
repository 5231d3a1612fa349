//! Everything known about the live threads of a VM: one record per thread, in one table.
//!
//! Methods that take something out of the table return it, so that the caller can drop it once nothing is borrowed: values in a record may
//! call back into the scheduler in their `Drop`.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use mlua::prelude::*;

use super::resume_token::ResumeToken;
use super::timers::TimerKey;
use crate::call_error::CallError;
use crate::error::{Frame, ScriptError};
use crate::error_log::ErrorLog;
use crate::ffi::{self, ThreadId};

/// The callback for the outcome of a thread, which is its results or its error.
pub type OnEnd = Box<dyn FnOnce(Result<LuaMultiValue, ScriptError>)>;

/// The record of a thread. It exists only while it is not empty.
#[derive(Default)]
struct ThreadRecord {
    /// The current wait of the thread.
    parking: Option<Parking>,
    /// The callback that awaits its end.
    ending: Option<Box<Ending>>,
    /// The errors that it has received from us.
    errors: Option<Box<ErrorLog>>,
    /// The `task.delay` timers that will resume it, which must be removed if it is cancelled.
    delays: BTreeSet<TimerKey>,
}

/// A waiting thread.
pub(super) struct Parking {
    pub(super) thread: LuaThread,
    number: u64,
    pub(super) cleanup: Cleanup,
}

/// The action to take if a thread stops waiting without being woken.
pub(super) enum Cleanup {
    /// Removes the timer.
    Timer(TimerKey),
    /// Calls the function.
    Call(Box<dyn FnOnce()>),
    /// Does nothing: the thread was woken, and its job is in the queue.
    Nothing,
}

/// The awaited end of a thread.
pub(super) struct Ending {
    /// The thread, kept alive so that no other thread gets its id.
    pub(super) thread: LuaThread,
    /// The number by which the host can cancel it.
    number: Option<u32>,
    pub(super) on_end: OnEnd,
    /// The frames of its error, noted while the stack still existed.
    pub(super) frames: Vec<Frame>,
}

/// The maximum counted size of the errors of all threads, in bytes. Beyond it, only the thread that received the last error keeps its own
/// errors.
const MAX_ERROR_BYTES: usize = 8 << 20;

/// The records of all threads of a VM.
#[derive(Default)]
pub(super) struct ThreadTable {
    records: HashMap<ThreadId, ThreadRecord>,
    last_parking: u64,
    parked: usize,
    delayed: usize,
    /// The number of threads that have received errors.
    with_errors: usize,
    /// The counted size of these errors, in bytes.
    error_bytes: usize,
}

impl ThreadRecord {
    fn is_empty(&self) -> bool {
        self.parking.is_none() && self.ending.is_none() && self.errors.is_none() && self.delays.is_empty()
    }
}

impl ThreadTable {
    /// Parks a thread, and returns the cleanup of an earlier parking, which has not run if the thread parked but could not yield for lack
    /// of memory.
    pub(super) fn park(&mut self, thread: LuaThread, cleanup: Cleanup) -> (ResumeToken, Option<Cleanup>) {
        self.last_parking += 1;
        let token = ResumeToken { thread: ffi::id_of(&thread), parking: self.last_parking };
        let parking = Parking { thread, number: token.parking, cleanup };
        let before = self.records.entry(token.thread).or_default().parking.replace(parking);
        if before.is_none() {
            self.parked += 1;
        }
        (token, before.map(|parking| parking.cleanup))
    }

    /// Returns true if a thread waits for the token to be used.
    pub(super) fn is_parked(&self, token: &ResumeToken) -> bool {
        let parking = self.records.get(&token.thread).and_then(|record| record.parking.as_ref());
        parking.is_some_and(|parking| parking.number == token.parking)
    }

    /// Takes the cleanup of the thread that waits for the token. Returns none if the token is stale.
    pub(super) fn note_woken(&mut self, token: &ResumeToken) -> Option<Cleanup> {
        let parking = self.records.get_mut(&token.thread)?.parking.as_mut()?;
        let is_fresh = parking.number == token.parking;
        is_fresh.then(|| std::mem::replace(&mut parking.cleanup, Cleanup::Nothing))
    }

    /// Takes the thread that waits for the token. Returns none if the token is stale.
    pub(super) fn take_parked(&mut self, token: &ResumeToken) -> Option<Parking> {
        self.unpark_if(token.thread, |parking| parking.number == token.parking)
    }

    /// Ends the wait of a thread.
    pub(super) fn unpark(&mut self, id: ThreadId) -> Option<Parking> {
        self.unpark_if(id, |_| true)
    }

    fn unpark_if(&mut self, id: ThreadId, matches: impl FnOnce(&Parking) -> bool) -> Option<Parking> {
        let parking = self.take(id, |record| record.parking.take_if(|parking| matches(parking)))?;
        self.parked -= 1;
        Some(parking)
    }

    /// Takes a part out of a record, and removes the record if nothing else is left.
    fn take<T>(&mut self, id: ThreadId, part: impl FnOnce(&mut ThreadRecord) -> Option<T>) -> Option<T> {
        let Entry::Occupied(mut entry) = self.records.entry(id) else { return None };
        let taken = part(entry.get_mut());
        if entry.get().is_empty() {
            entry.remove();
        }
        taken
    }

    /// Notes the callback that awaits the end of a thread. The host can cancel the thread by `number`.
    pub(super) fn await_end(&mut self, thread: &LuaThread, number: Option<u32>, on_end: OnEnd) {
        let ending = Ending { thread: thread.clone(), number, on_end, frames: Vec::new() };
        self.records.entry(ffi::id_of(thread)).or_default().ending = Some(Box::new(ending));
    }

    /// Takes the ending of a thread, which has ended or is no longer awaited.
    pub(super) fn take_ending(&mut self, id: ThreadId) -> Option<Box<Ending>> {
        self.take(id, |record| record.ending.take())
    }

    /// Notes the frames of a thread's error.
    pub(super) fn note_frames(&mut self, id: ThreadId, frames: Vec<Frame>) {
        if let Some(ending) = self.records.get_mut(&id).and_then(|record| record.ending.as_mut()) {
            ending.frames = frames;
        }
    }

    /// Returns the thread with this number, unless it has ended.
    pub(super) fn numbered(&self, number: u32) -> Option<LuaThread> {
        let mut endings = self.records.values().filter_map(|record| record.ending.as_ref());
        endings.find(|ending| ending.number == Some(number)).map(|ending| ending.thread.clone())
    }

    /// Notes a timer that will resume a thread.
    pub(super) fn add_delay(&mut self, id: ThreadId, timer: TimerKey) {
        let delays = &mut self.records.entry(id).or_default().delays;
        self.delayed += usize::from(delays.is_empty());
        delays.insert(timer);
    }

    /// Forgets a timer that is due.
    pub(super) fn remove_delay(&mut self, id: ThreadId, timer: TimerKey) {
        let emptied = self.take(id, |record| (record.delays.remove(&timer) && record.delays.is_empty()).then_some(()));
        self.delayed -= usize::from(emptied.is_some());
    }

    /// Takes the timers that will resume a thread.
    pub(super) fn take_delays(&mut self, id: ThreadId) -> BTreeSet<TimerKey> {
        let delays = self.take(id, |record| Some(std::mem::take(&mut record.delays))).unwrap_or_default();
        self.delayed -= usize::from(!delays.is_empty());
        delays
    }

    /// Returns true if threads have received errors.
    pub(super) fn has_errors(&self) -> bool {
        self.with_errors > 0
    }

    /// Notes an error that a thread receives.
    pub(super) fn add_error(&mut self, id: ThreadId, error: &CallError) {
        if error.source().is_some() {
            self.change_errors(id, |errors| errors.add(error));
        }
    }

    /// Adds the errors that one thread received to another, which may also throw them: it ran as a part of the first one, and now continues
    /// on its own.
    pub(super) fn share_errors(&mut self, from: ThreadId, to: ThreadId) {
        let errors = self.records.get(&from).and_then(|record| record.errors.clone());
        if let Some(errors) = errors {
            self.change_errors(to, |own| own.add_all(&errors));
        }
    }

    fn change_errors(&mut self, id: ThreadId, change: impl FnOnce(&mut ErrorLog)) {
        let slot = &mut self.records.entry(id).or_default().errors;
        self.with_errors += usize::from(slot.is_none());
        let errors = slot.get_or_insert_default();
        self.error_bytes -= errors.bytes();
        change(errors);
        errors.shrink_to(MAX_ERROR_BYTES);
        self.error_bytes += errors.bytes();
        if self.error_bytes > MAX_ERROR_BYTES {
            self.forget_errors_except(id);
        }
    }

    /// Adds what is known to an error that left a thread.
    pub(super) fn complete(&self, id: ThreadId, error: ScriptError) -> ScriptError {
        match self.records.get(&id).and_then(|record| record.errors.as_ref()) {
            Some(errors) => errors.complete(error),
            None => error,
        }
    }

    /// Forgets the errors that a thread received.
    pub(super) fn forget_errors(&mut self, id: ThreadId) {
        if let Some(errors) = self.take(id, |record| record.errors.take()) {
            self.with_errors -= 1;
            self.error_bytes -= errors.bytes();
        }
    }

    fn forget_errors_except(&mut self, id: ThreadId) {
        self.records.retain(|&other, record| {
            if other != id
                && let Some(errors) = record.errors.take()
            {
                self.with_errors -= 1;
                self.error_bytes -= errors.bytes();
            }
            !record.is_empty()
        });
    }

    /// Forgets the errors of a thread that has ended or runs as a part of another one, unless it is parked.
    pub(super) fn forget_errors_unless_parked(&mut self, id: ThreadId) {
        if self.has_errors() && self.records.get(&id).is_some_and(|record| record.parking.is_none()) {
            self.forget_errors(id);
        }
    }

    /// Returns the number of parked threads.
    pub(super) fn parked_count(&self) -> usize {
        self.parked
    }

    /// Returns true if a `task.delay` timer will resume a thread.
    pub(super) fn has_delays(&self) -> bool {
        self.delayed > 0
    }

    /// Returns the threads that are parked or that a timer will resume.
    pub(super) fn waiting(&self) -> impl Iterator<Item = ThreadId> {
        let waits = |record: &ThreadRecord| record.parking.is_some() || !record.delays.is_empty();
        self.records.iter().filter(move |(_, record)| waits(record)).map(|(&id, _)| id)
    }

    /// Returns the parkings and the awaited ends of all threads.
    pub(super) fn into_parts(self) -> impl Iterator<Item = (Option<Parking>, Option<Box<Ending>>)> {
        self.records.into_values().map(|record| (record.parking, record.ending))
    }
}
