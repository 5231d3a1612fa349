//! Where errors come from that scripts handle as mere texts.
//!
//! A script that calls a function of the page, or requires a module, gets what went wrong as a text, as from Luau's own
//! library, and may catch it, put a place before it, and throw it again. When it gets out of the script in the end, the page
//! wants more than the text. So what is behind such a text is kept for the thread that got it, as long as that thread runs:
//! the same text in another thread has nothing to do with it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use crate::error::{Frame, Kind, ScriptError};
use crate::failure::Failure;
use crate::raw::ThreadId;
use crate::text;

/// What the page threw. Only those who know JS can look into it.
#[derive(Clone)]
pub struct Cause(Rc<dyn Any>);

impl Cause {
    /// From whatever the page's side throws.
    pub fn new<T: 'static>(thrown: T) -> Self {
        Self(Rc::new(thrown))
    }

    /// What was thrown, if it is a `T`.
    #[must_use]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cause").finish_non_exhaustive()
    }
}

/// What is behind the text of an error.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// The page threw something.
    Page(Cause),
    /// Another thread failed, or a call of ours did with a kind of its own. Without the value: that is the text, or was thrown as it is.
    Script(Rc<ScriptError>),
    /// The host threw the error of a script. Without the value, too.
    PassedOn(Rc<ScriptError>),
}

impl Origin {
    pub(crate) fn script(error: ScriptError) -> Self {
        Self::Script(Rc::new(ScriptError { value: LuaNil, ..error }))
    }

    pub(crate) fn passed_on(error: ScriptError) -> Self {
        Self::PassedOn(Rc::new(ScriptError { value: LuaNil, ..error }))
    }

    /// Returns what the host threw, if that is what led to it.
    pub(crate) fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Page(cause) => Some(cause),
            Self::Script(error) | Self::PassedOn(error) => error.cause.as_ref(),
        }
    }

    /// The error of a thread that got this one, with what is known of it. `is_value` tells whether the thread got a value, and not a text.
    fn complete(&self, error: ScriptError, is_value: bool) -> ScriptError {
        // The thread may have been ended since, for a reason of its own, which its text tells.
        let is_runtime = error.kind == Kind::Runtime;
        match self {
            Self::Page(cause) => {
                // A text has its place already.
                let place = error.frames.first().filter(|_| is_value && is_runtime);
                let message = match place {
                    Some(frame) => format!("{}:{}: {}", frame.chunk_name, frame.line, error.message),
                    None => error.message,
                };
                ScriptError { message, cause: Some(cause.clone()), ..error }
            }
            Self::PassedOn(inner) => {
                let message = if is_value && is_runtime { inner.message.clone() } else { error.message };
                let kind = if is_runtime { inner.kind } else { error.kind };
                let original = inner.original.clone().filter(|_| message == inner.message && kind == inner.kind);
                let frames = joined(&inner.frames, &error.frames);
                let (cause, syntax) = (inner.cause.clone(), inner.syntax.clone());
                ScriptError { kind, message, frames, cause, original, syntax, ..error }
            }
            Self::Script(inner) => {
                let frames = joined(&inner.frames, &error.frames);
                let kind = match inner.kind {
                    Kind::Syntax | Kind::Memory | Kind::Timeout => inner.kind,
                    // The end of the other thread is not that of this one.
                    Kind::Runtime | Kind::Cancelled | Kind::Disposed | Kind::Terminated => error.kind,
                };
                ScriptError { kind, frames, cause: inner.cause.clone(), syntax: inner.syntax.clone(), ..error }
            }
        }
    }
}

/// The number of frames that an error has at most. One that passes through many threads has the innermost ones.
pub(crate) const MAX_FRAMES: usize = 100;

fn joined(inner: &[Frame], outer: &[Frame]) -> Vec<Frame> {
    inner.iter().chain(outer).take(MAX_FRAMES).cloned().collect()
}

/// So many different errors are kept for a thread that catches them.
const MOST_NOTES: usize = 1_000;

/// The number of values that are kept for a thread that catches them. They stay in the memory of the script for as long as it runs.
const MAX_VALUES: usize = 16;

/// How long a text may be to be kept, in bytes: a longer one loses its origin.
const LONGEST_TEXT: usize = 1 << 16;

/// How much is kept for all threads together, in bytes. Past it only the thread that got the last error keeps its own.
const MOST_BYTES: usize = 8 << 20;

/// What a note counts for beside its text, in bytes.
const NOTE: usize = 256;

#[derive(Clone)]
struct Note {
    /// Empty if there is a value.
    text: String,
    /// The value that the thread received, unless it was a text.
    value: Option<LuaValue>,
    origin: Origin,
}

/// The origins of the errors that the threads of a VM have got.
#[derive(Default)]
pub(crate) struct Origins {
    notes: RefCell<HashMap<ThreadId, VecDeque<Note>>>,
    bytes: Cell<usize>,
}

impl Origins {
    pub(crate) fn is_empty(&self) -> bool {
        self.notes.borrow().is_empty()
    }

    /// Notes that `thread` gets this failure.
    pub(crate) fn note(&self, thread: ThreadId, failure: &Failure) {
        let Some(origin) = failure.origin().cloned() else { return };
        // Nil is the value of every error that has none.
        let value = failure.value().filter(|value| !value.is_string() && !value.is_nil()).cloned();
        let text = match (&value, failure.value()) {
            (Some(_), _) => String::new(),
            (None, Some(LuaValue::String(text))) => text::beginning(text, LONGEST_TEXT),
            (None, _) => failure.message().to_owned(),
        };
        self.add(thread, Note { text, value, origin });
    }

    fn add(&self, thread: ThreadId, note: Note) {
        if note.text.len() > LONGEST_TEXT {
            return;
        }
        let mut notes = self.notes.borrow_mut();
        let of_thread = notes.entry(thread).or_default();
        // The last of those with the same text is the likeliest to get out.
        let known = of_thread.iter().position(|other| other.text == note.text && other.value == note.value);
        let surplus = known.or_else(|| note.surplus(of_thread));
        let dropped = surplus.and_then(|place| of_thread.remove(place));
        let size = note.size();
        of_thread.push_back(note);
        self.bytes.set((self.bytes.get() + size).saturating_sub(dropped.map_or(0, |note| note.size())));
        if self.bytes.get() > MOST_BYTES {
            notes.retain(|&other, _| other == thread);
            self.bytes.set(notes.values().flatten().map(Note::size).sum());
        }
    }

    /// That what `from` got, `to` may throw: it ran as a part of it until now, and goes on by itself.
    pub(crate) fn share(&self, from: ThreadId, to: ThreadId) {
        let notes = self.notes.borrow();
        let Some(of_thread) = notes.get(&from) else { return };
        let shared: Vec<Note> = of_thread.iter().cloned().collect();
        drop(notes);
        for note in shared {
            self.add(to, note);
        }
    }

    /// An error that got out of `thread`, with what is known of it: its value is the same, or its text has at most a place before it, or
    /// what the script has put there in that form.
    pub(crate) fn complete(&self, thread: ThreadId, error: ScriptError) -> ScriptError {
        let note = {
            let notes = self.notes.borrow();
            let of_thread = notes.get(&thread);
            of_thread.and_then(|notes| notes.iter().rev().find(|note| note.is_of(&error)).cloned())
        };
        match note {
            Some(note) => note.origin.complete(error, note.value.is_some()),
            None => error,
        }
    }

    /// That `thread` has ended.
    pub(crate) fn forget(&self, thread: ThreadId) {
        let forgotten = self.notes.borrow_mut().remove(&thread);
        let size: usize = forgotten.iter().flatten().map(Note::size).sum();
        self.bytes.set(self.bytes.get().saturating_sub(size));
    }

    /// That all have.
    pub(crate) fn clear(&self) {
        let forgotten = self.notes.take();
        self.bytes.set(0);
        drop(forgotten);
    }
}

impl Note {
    fn is_of(&self, error: &ScriptError) -> bool {
        if let Some(value) = &self.value {
            return *value == error.value;
        }
        let place = error.message.strip_suffix(self.text.as_str());
        place.is_some_and(|place| place.is_empty() || place.ends_with(": "))
    }

    /// Returns the place of the note that has to go for this one.
    fn surplus(&self, notes: &VecDeque<Self>) -> Option<usize> {
        if self.value.is_some() && notes.iter().filter(|note| note.value.is_some()).count() >= MAX_VALUES {
            return notes.iter().position(|note| note.value.is_some());
        }
        (notes.len() >= MOST_NOTES).then_some(0)
    }

    fn size(&self) -> usize {
        NOTE + self.text.len()
    }
}
