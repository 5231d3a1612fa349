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

use crate::error::{Kind, ScriptError};
use crate::raw::ThreadId;

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
    /// Another thread failed, without its value: that is the text, or was thrown as it is.
    Script(Rc<ScriptError>),
}

impl Origin {
    pub(crate) fn script(error: ScriptError) -> Self {
        Self::Script(Rc::new(ScriptError { value: LuaNil, ..error }))
    }

    /// The error of a thread that got this one, with what is known of it.
    fn complete(&self, error: ScriptError) -> ScriptError {
        match self {
            Self::Page(cause) => ScriptError { cause: Some(cause.clone()), ..error },
            Self::Script(inner) => {
                let frames = inner.frames.iter().chain(&error.frames).cloned().collect();
                let kind = match inner.kind {
                    Kind::Syntax | Kind::Memory | Kind::Timeout => inner.kind,
                    // The end of the other thread is not that of this one.
                    Kind::Runtime | Kind::Cancelled | Kind::Disposed => error.kind,
                };
                ScriptError { kind, frames, cause: inner.cause.clone(), ..error }
            }
        }
    }
}

/// So many different errors are kept for a thread that catches them.
const MOST_NOTES: usize = 1_000;

/// How long a text may be to be kept, in bytes: a longer one loses its origin.
const LONGEST_TEXT: usize = 1 << 16;

/// How much is kept for all threads together, in bytes. Past it only the thread that got the last error keeps its own.
const MOST_BYTES: usize = 8 << 20;

/// What a note counts for beside its text, in bytes.
const NOTE: usize = 256;

struct Note {
    text: String,
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

    /// That `thread` gets an error with this text.
    pub(crate) fn note(&self, thread: ThreadId, text: &str, origin: &Origin) {
        if text.len() > LONGEST_TEXT {
            return;
        }
        let mut notes = self.notes.borrow_mut();
        let of_thread = notes.entry(thread).or_default();
        // The last of those with the same text is the likeliest to get out.
        let known = of_thread.iter().position(|note| note.text == text);
        let surplus = known.or_else(|| (of_thread.len() == MOST_NOTES).then_some(0));
        let dropped = surplus.and_then(|place| of_thread.remove(place));
        of_thread.push_back(Note { text: text.to_owned(), origin: origin.clone() });
        self.bytes.set((self.bytes.get() + NOTE + text.len()).saturating_sub(dropped.map_or(0, |note| note.size())));
        if self.bytes.get() > MOST_BYTES {
            notes.retain(|&other, _| other == thread);
            self.bytes.set(notes.values().flatten().map(Note::size).sum());
        }
    }

    /// That what `from` got, `to` may throw: it ran as a part of it until now, and goes on by itself.
    pub(crate) fn share(&self, from: ThreadId, to: ThreadId) {
        let notes = self.notes.borrow();
        let Some(of_thread) = notes.get(&from) else { return };
        let shared: Vec<(String, Origin)> =
            of_thread.iter().map(|note| (note.text.clone(), note.origin.clone())).collect();
        drop(notes);
        for (text, origin) in shared {
            self.note(to, &text, &origin);
        }
    }

    /// An error that got out of `thread`, with what is known of it: its text has at most a place before it, or what the script
    /// has put there in that form.
    pub(crate) fn complete(&self, thread: ThreadId, error: ScriptError) -> ScriptError {
        let is_it = |note: &&Note| {
            error
                .message
                .strip_suffix(note.text.as_str())
                .is_some_and(|place| place.is_empty() || place.ends_with(": "))
        };
        let origin = {
            let notes = self.notes.borrow();
            let of_thread = notes.get(&thread);
            of_thread.and_then(|notes| notes.iter().rev().find(is_it)).map(|note| note.origin.clone())
        };
        match origin {
            Some(origin) => origin.complete(error),
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
    fn size(&self) -> usize {
        NOTE + self.text.len()
    }
}
