//! The errors that a thread received from us as plain text or values.
//!
//! When a script calls a host function or requires a module, an error reaches it as text, as from Luau's own library. The script may catch
//! the text, put a place before it, and throw it again. If the error leaves the script in the end, the host wants more than the text. So
//! the log keeps what is known of the error for as long as the thread that received it runs. The same text in another thread has nothing to
//! do with it.

use std::collections::VecDeque;

use mlua::prelude::*;

use crate::call_error::CallError;
use crate::error::ScriptError;
use crate::error_source::ErrorSource;
use crate::text;

/// The maximum number of errors that are kept for a thread.
const MAX_ENTRIES: usize = 1_000;

/// The maximum number of thrown values that are kept for a thread. They take up the script's memory for as long as it runs.
const MAX_VALUES: usize = 16;

/// The maximum length of a text that is kept, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 16;

/// The size that is counted for an entry in addition to its text, in bytes.
const ENTRY_BYTES: usize = 256;

/// The errors that one thread received, oldest first.
#[derive(Clone, Default)]
pub(crate) struct ErrorLog {
    entries: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Clone)]
struct Entry {
    /// Empty if there is a value.
    text: String,
    /// The value that the thread received, unless it was text.
    value: Option<LuaValue>,
    source: ErrorSource,
}

impl ErrorLog {
    /// Returns the counted size of the log, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds an error that the thread receives. An error is left out if nothing is known beyond its message, or if its text is very long.
    pub(crate) fn add(&mut self, error: &CallError) {
        if let Some(entry) = Entry::new(error) {
            self.push(entry);
        }
    }

    /// Adds all errors of another thread, which continues as a part of this one.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for entry in &other.entries {
            self.push(entry.clone());
        }
    }

    /// Drops the oldest errors until the counted size is at most `max` bytes.
    pub(crate) fn shrink_to(&mut self, max: usize) {
        while self.bytes > max && self.remove(0) {}
    }

    /// Adds what is known to an error that left the thread. An entry matches if its value is the same, or if the text of the error ends
    /// with the text of the entry, with at most a place before it, or something that the script wrote in the form of a place.
    pub(crate) fn complete(&self, error: ScriptError) -> ScriptError {
        match self.entries.iter().rev().find(|entry| entry.matches(&error)) {
            Some(entry) => entry.source.complete(error, entry.value.is_some()),
            None => error,
        }
    }

    fn push(&mut self, entry: Entry) {
        // Of the entries with the same text, the last one is the most likely to leave the thread.
        let known = self.entries.iter().position(|other| other.text == entry.text && other.value == entry.value);
        if let Some(index) = known.or_else(|| self.evicted_by(&entry)) {
            self.remove(index);
        }
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
    }

    /// Returns the index of the entry that must make room for a new one.
    fn evicted_by(&self, entry: &Entry) -> Option<usize> {
        let values = || self.entries.iter().enumerate().filter(|(_, entry)| entry.value.is_some());
        if entry.value.is_some() && values().count() >= MAX_VALUES {
            return values().next().map(|(index, _)| index);
        }
        (self.entries.len() >= MAX_ENTRIES).then_some(0)
    }

    fn remove(&mut self, index: usize) -> bool {
        let removed = self.entries.remove(index);
        self.bytes -= removed.as_ref().map_or(0, Entry::bytes);
        removed.is_some()
    }
}

impl Entry {
    fn new(error: &CallError) -> Option<Self> {
        let source = error.source()?.clone();
        // Every error without a value has the value nil.
        let value = error.value().filter(|value| !value.is_string() && !value.is_nil()).cloned();
        let text = match (&value, error.value()) {
            (Some(_), _) => String::new(),
            (None, Some(LuaValue::String(text))) => text::beginning(text, MAX_TEXT_BYTES),
            (None, _) => error.message().to_owned(),
        };
        (text.len() <= MAX_TEXT_BYTES).then_some(Self { text, value, source })
    }

    fn matches(&self, error: &ScriptError) -> bool {
        if let Some(value) = &self.value {
            return *value == error.value;
        }
        let place = error.message.strip_suffix(self.text.as_str());
        place.is_some_and(|place| place.is_empty() || place.ends_with(": "))
    }

    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.text.len()
    }
}
