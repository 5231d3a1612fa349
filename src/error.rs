//! Errors of scripts: what went wrong, of which kind, and where.

use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use crate::origin::Cause;
use crate::raw::{self, Doom};
use crate::text;
use crate::value::type_name;

/// The chunk name of all Luau code of ours: its frames are left out of tracebacks.
pub(crate) const CHUNK_NAME: &str = "luau-websocket";

/// What sort of error it is; the text is what a page sees as `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The source is not a Luau program.
    Syntax,
    /// The script, or a library it called, raised an error.
    Runtime,
    /// The script asked for more memory than there is or than it may have.
    Memory,
    /// The script ran for longer than it may without waiting.
    Timeout,
    /// The thread was cancelled before it ended.
    Cancelled,
    /// The VM was disposed before the thread ended, or before the call.
    Disposed,
    /// The WebAssembly instance of another VM ended, and the host threw that VM's error.
    Terminated,
}

impl Kind {
    /// The name under which the page knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Runtime => "runtime",
            Self::Memory => "memory",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Disposed => "disposed",
            Self::Terminated => "terminated",
        }
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let kinds = [
            Self::Syntax,
            Self::Runtime,
            Self::Memory,
            Self::Timeout,
            Self::Cancelled,
            Self::Disposed,
            Self::Terminated,
        ];
        kinds.into_iter().find(|kind| kind.name() == name)
    }
}

/// A place in a script: one level of the call stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The name of the chunk, as given when it was run.
    pub chunk_name: String,
    /// The line, from 1.
    pub line: u32,
    /// The name of the function, if it has one.
    pub name: Option<String>,
}

impl Frame {
    /// A frame from what Luau tells of it, or none if it is no place in a script: a C function, or one of ours.
    pub(crate) fn new(chunk_name: Option<String>, line: i32, name: Option<String>) -> Option<Self> {
        let chunk_name = chunk_name.filter(|chunk_name| chunk_name != CHUNK_NAME)?;
        let line = u32::try_from(line).ok().filter(|&line| line > 0)?;
        Some(Self { chunk_name, line, name: name.filter(|name| !name.is_empty()) })
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chunk_name, self.line)?;
        match &self.name {
            Some(name) => write!(f, " function {name}"),
            None => Ok(()),
        }
    }
}

/// An error that ended a thread, or kept it from starting.
#[derive(Clone, Debug)]
pub struct ScriptError {
    /// What sort of error it is.
    pub kind: Kind,
    /// The text of it: of a string that was thrown the string itself, else what `tostring` makes of the value.
    pub message: String,
    /// What was thrown; nil where nothing was.
    pub value: LuaValue,
    /// Where, innermost first; empty where no script was running.
    pub frames: Vec<Frame>,
    /// What the page threw, if that is what led to it.
    pub cause: Option<Cause>,
    /// The error object of the host that this is, without any change.
    pub original: Option<Cause>,
    /// All errors of a source that is no Luau program.
    pub syntax: Rc<Vec<SyntaxError>>,
}

/// An error of a source that is no Luau program. Lines and columns are counted from 1, and columns in units of UTF-16, as JS counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The text, without the place.
    pub message: String,
    /// The line of the first character.
    pub line: u32,
    /// The column of the first character.
    pub column: u32,
    /// The line of the character behind the last one.
    pub end_line: u32,
    /// The column of the character behind the last one.
    pub end_column: u32,
}

/// Luau's own text for an allocation that failed, by which such an error is known after a `pcall` caught it.
pub(crate) const NOT_ENOUGH_MEMORY: &str = "not enough memory";

/// The longest message, in bytes: nobody reads more than that, and the page may not be able to take it.
const LONGEST_MESSAGE: usize = 1 << 20;

impl ScriptError {
    /// The error for a value that a script threw.
    #[must_use]
    pub fn thrown(lua: &Lua, value: LuaValue, frames: Vec<Frame>) -> Self {
        let message = match &value {
            LuaValue::String(text) => text::beginning(text, LONGEST_MESSAGE),
            LuaValue::Error(error) => return Self { value: value.clone(), frames, ..Self::from_lua(error, "") },
            other => raw::text_of(lua, other)
                .map_or_else(|| type_name(other), |text| text::beginning(&text, LONGEST_MESSAGE)),
        };
        // At the end: our own libraries say before it where, and what they could not do. A script can throw the same text, but is only
        // believed if memory was refused.
        let is_memory = message.ends_with(NOT_ENOUGH_MEMORY) && raw::was_refused_memory();
        let kind = if is_memory { Kind::Memory } else { Kind::Runtime };
        Self { value, frames, ..Self::new(kind, message) }
    }

    /// The error for one that mlua returned, from a call that runs no script: compiling, or making a value.
    #[must_use]
    pub fn from_lua(error: &LuaError, chunk_name: &str) -> Self {
        let (kind, message) = match error {
            LuaError::SyntaxError { message, .. } => (Kind::Syntax, message.clone()),
            LuaError::MemoryError(message) => (Kind::Memory, message.clone()),
            LuaError::RuntimeError(message) => (Kind::Runtime, message.clone()),
            other => match other.downcast_ref::<Doom>() {
                Some(doom) => (doom.kind(), doom.to_string()),
                None => (Kind::Runtime, other.to_string()),
            },
        };
        let line = message
            .strip_prefix(chunk_name)
            .and_then(|rest| rest.strip_prefix(':'))
            .and_then(|rest| rest.split_once(':'))
            .and_then(|(line, _)| line.parse().ok());
        let frames = Frame::new(Some(chunk_name.to_owned()), line.unwrap_or(0), None);
        Self { frames: frames.into_iter().collect(), ..Self::new(kind, message) }
    }

    /// An error that stands for no value.
    #[must_use]
    pub fn plain(kind: Kind, message: &str) -> Self {
        Self::new(kind, message.to_owned())
    }

    fn new(kind: Kind, message: String) -> Self {
        Self { kind, message, value: LuaNil, frames: Vec::new(), cause: None, original: None, syntax: Rc::default() }
    }

    /// The call stack, a line each, innermost first.
    #[must_use]
    pub fn traceback(&self) -> String {
        self.frames.iter().fold(String::new(), |text, frame| text + &frame.to_string() + "\n")
    }
}
