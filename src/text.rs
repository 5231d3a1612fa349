//! Texts of scripts on their way out of Luau.
//!
//! A script makes a text as long as its memory allows, and of any bytes, of which those that are not UTF-8 take three times as many in a
//! Rust string. So a text leaves Luau through here alone: each use has a bound, and what is longer is refused before anything is made
//! of it.

use std::fmt;

use mlua::prelude::*;

/// How long a text may be for what it is used for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// What it is, as errors call it.
    what: &'static str,
    /// In bytes.
    most: usize,
}

/// Chromium ends a tab that comes with a URL of more than two megabytes, and of a byte in it nine may become, `%EF%BF%BD`.
pub(crate) const URL: Bound = Bound { what: "URL", most: 65_536 };

/// A header of a request holds all of them; servers take some eight thousand bytes.
pub(crate) const PROTOCOL: Bound = Bound { what: "subprotocol", most: 1_024 };

/// It is in every frame of every error; Luau itself shows 255 bytes of it.
pub(crate) const CHUNK_NAME: Bound = Bound { what: "name of the chunk", most: 1_024 };

/// As long as a path may be on Linux. The host gets it, and puts it into a URL perhaps.
pub(crate) const MODULE_PATH: Bound = Bound { what: "path", most: 4_096 };

/// Half of the longest string of V8, which has 2^29 - 24 characters: what the host makes of it, with a time in front of it say, is to fit
/// too.
pub(crate) const LONGEST: usize = 1 << 28;

/// What is put out.
const OUTPUT: Bound = Bound { what: "text", most: LONGEST };

/// The same for one that is not UTF-8, which has to be made anew, with up to three times as many bytes.
const REPAIRED_OUTPUT: Bound = Bound { what: "text, which is not UTF-8,", most: 1 << 26 };

/// A text for a use. Bytes that are not UTF-8 become U+FFFD, as in the Encoding Standard.
///
/// # Errors
/// When it is too long.
pub(crate) fn lossy(text: &LuaString, bound: Bound) -> Result<String, TooLong> {
    bound.check(text)?;
    Ok(repaired(&text.as_bytes()))
}

/// Calls `take` with a text that is put out, of which no copy is made where it is UTF-8.
///
/// # Errors
/// When it is too long.
pub(crate) fn with_output<R>(text: &LuaString, take: impl FnOnce(&str) -> R) -> Result<R, TooLong> {
    OUTPUT.check(text)?;
    if let Ok(text) = text.to_str() {
        return Ok(take(&text));
    }
    REPAIRED_OUTPUT.check(text)?;
    Ok(take(&repaired(&text.as_bytes())))
}

/// The beginning of a text of whatever length, with at most so many bytes of it, and an ellipsis in the place of the rest.
pub(crate) fn beginning(text: &LuaString, most: usize) -> String {
    let bytes = text.as_bytes();
    match bytes.get(..most) {
        Some(start) if start.len() < bytes.len() => repaired(start) + "…",
        _ => repaired(&bytes),
    }
}

/// How much of a text an error shows that is about it, in bytes.
const SHOWN: usize = 100;

/// A text in an error that is about it.
pub(crate) fn shown(text: &LuaString) -> String {
    beginning(text, SHOWN)
}

impl Bound {
    fn check(self, text: &LuaString) -> Result<(), TooLong> {
        let length = text.as_bytes().len();
        if length <= self.most { Ok(()) } else { Err(TooLong { bound: self, length }) }
    }
}

/// A text is longer than its use allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLong {
    bound: Bound,
    length: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Bound { what, most }, length) = (self.bound, self.length);
        write!(f, "the {what} is too long: it has {length} bytes, and may have {most}")
    }
}

fn repaired(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
