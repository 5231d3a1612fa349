//! The source of a call's error.

use std::rc::Rc;

use mlua::prelude::*;

use crate::error::{Cause, Frame, Kind, MAX_FRAMES, ScriptError};

/// The known source of an error that a script receives as plain text or a value.
#[derive(Clone, Debug)]
pub(crate) enum ErrorSource {
    /// The host threw something.
    Host(Cause),
    /// Another thread failed, or one of our calls failed with a kind of its own. The value is left out: it is the text, or it was thrown
    /// unchanged.
    Script(Rc<ScriptError>),
    /// The host threw a script's error. The value is left out here too.
    PassedOn(Rc<ScriptError>),
}

impl ErrorSource {
    pub(crate) fn script(error: ScriptError) -> Self {
        Self::Script(Rc::new(ScriptError { value: LuaNil, ..error }))
    }

    pub(crate) fn passed_on(error: ScriptError) -> Self {
        Self::PassedOn(Rc::new(ScriptError { value: LuaNil, ..error }))
    }

    /// Returns the value that the host threw, if that led to the error.
    pub(crate) fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Host(cause) => Some(cause),
            Self::Script(error) | Self::PassedOn(error) => error.cause.as_ref(),
        }
    }

    /// Adds what is known to the error of a thread that received this one. `is_value` is true if the thread received a value and not text.
    pub(crate) fn complete(&self, error: ScriptError, is_value: bool) -> ScriptError {
        // The thread may have ended since for a reason of its own, which its text tells.
        let is_runtime = error.kind == Kind::Runtime;
        match self {
            Self::Host(cause) => {
                // Text already has its place.
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
                    // The end of the other thread is not the end of this one.
                    Kind::Runtime | Kind::Cancelled | Kind::Disposed | Kind::Terminated => error.kind,
                };
                ScriptError { kind, frames, cause: inner.cause.clone(), syntax: inner.syntax.clone(), ..error }
            }
        }
    }
}

fn joined(inner: &[Frame], outer: &[Frame]) -> Vec<Frame> {
    inner.iter().chain(outer).take(MAX_FRAMES).cloned().collect()
}
