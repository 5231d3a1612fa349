//! Script errors, as data.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

/// The chunk name of our own Luau code. Tracebacks leave out its frames.
pub(crate) const CHUNK_NAME: &str = "luau-websocket";

/// The message of Luau's own error for an allocation that failed.
pub(crate) const NOT_ENOUGH_MEMORY: &str = "not enough memory";

/// The maximum number of frames of an error. An error that passes through many threads keeps the innermost ones.
pub const MAX_FRAMES: usize = 100;

/// The kind of an error. Hosts see its name as `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The source is not valid Luau.
    Syntax,
    /// The script, or a library it called, raised an error.
    Runtime,
    /// The script asked for more memory than its limit allows, or than is available.
    Memory,
    /// The script ran past its time limit.
    Timeout,
    /// The thread was cancelled before it finished.
    Cancelled,
    /// The VM was disposed before the thread finished, or before the call was made.
    Disposed,
    /// The WebAssembly instance of another VM ended, and the host threw the error of that VM.
    Terminated,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Syntax, Self::Runtime, Self::Memory, Self::Timeout, Self::Cancelled, Self::Disposed, Self::Terminated];

    /// Returns the name that hosts see.
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
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A place in a script: one level of the call stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The name of the chunk.
    pub chunk_name: String,
    /// The line, from 1.
    pub line: u32,
    /// The name of the function, if it has one.
    pub name: Option<String>,
}

impl Frame {
    /// Creates a frame from Luau's description of a level. Returns none for C functions and for our own code.
    #[must_use]
    pub fn new(chunk_name: Option<String>, line: i32, name: Option<String>) -> Option<Self> {
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

/// A value that the host threw. Only the host adapter can look into it.
#[derive(Clone)]
pub struct Cause(Rc<dyn Any>);

impl Cause {
    /// Wraps a value of the host.
    pub fn new<T: 'static>(thrown: T) -> Self {
        Self(Rc::new(thrown))
    }

    /// Returns the value, if it is a `T`.
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

/// An error that ended a thread, or kept it from starting.
#[derive(Clone, Debug)]
pub struct ScriptError {
    /// The kind of the error.
    pub kind: Kind,
    /// The thrown string, or else the result of `tostring` for the thrown value.
    pub message: String,
    /// The thrown value; nil if nothing was thrown.
    pub value: LuaValue,
    /// The call stack, innermost first; empty if no script was running.
    pub frames: Vec<Frame>,
    /// The value that the host threw, if that led to the error.
    pub cause: Option<Cause>,
    /// The host's error object that this error stands for, unchanged.
    pub original: Option<Cause>,
    /// All syntax errors of the source.
    pub syntax: Rc<Vec<SyntaxError>>,
}

/// A syntax error. Lines and columns count from 1, and columns are UTF-16 code units, as in JS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The message, without the place.
    pub message: String,
    /// The line of the first character.
    pub line: u32,
    /// The column of the first character.
    pub column: u32,
    /// The line of the character after the last one.
    pub end_line: u32,
    /// The column of the character after the last one.
    pub end_column: u32,
}

impl ScriptError {
    /// Creates an error without a value and without a position.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            value: LuaNil,
            frames: Vec::new(),
            cause: None,
            original: None,
            syntax: Rc::default(),
        }
    }

    /// Returns the call stack, one line per level, innermost first.
    #[must_use]
    pub fn traceback(&self) -> String {
        self.frames.iter().fold(String::new(), |text, frame| text + &frame.to_string() + "\n")
    }
}
