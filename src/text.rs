//! Converts strings of scripts to Rust.
//!
//! A script's string may be as long as its memory allows and contain any bytes; the conversion to UTF-8 may triple its length. So every
//! conversion goes through this module: each purpose has a maximum length, and a longer string is refused before it is converted.

use std::fmt;

use mlua::prelude::*;

/// The maximum length of a string for one purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The name of the purpose in errors.
    what: &'static str,
    /// In bytes.
    most: usize,
}

/// Chromium kills the tab if a URL is longer than 2 MiB, and one byte may become nine: `%EF%BF%BD`.
pub(crate) const URL: Bound = Bound { what: "URL", most: 65_536 };

/// All subprotocols share one request header, of which servers accept about 8 KiB.
pub(crate) const PROTOCOL: Bound = Bound { what: "subprotocol", most: 1_024 };

/// Every frame of every error repeats it; Luau itself shows 255 bytes.
pub(crate) const CHUNK_NAME: Bound = Bound { what: "name of the chunk", most: 1_024 };

/// `PATH_MAX` of Linux. The host may put the path into a URL.
pub(crate) const MODULE_PATH: Bound = Bound { what: "path", most: 4_096 };

/// The longest string that goes to JS, in bytes: half of V8's maximum of 2^29 - 24 characters, so that the host can still add to it.
pub(crate) const MAX_TEXT: usize = 1 << 28;

/// Output of `print` and `warn`.
const OUTPUT: Bound = Bound { what: "text", most: MAX_TEXT };

/// Output that is not UTF-8: the conversion may triple its length.
const REPAIRED_OUTPUT: Bound = Bound { what: "text, which is not UTF-8,", most: 1 << 26 };

/// Converts a string for a purpose. Bytes that are not UTF-8 become U+FFFD, as in the Encoding Standard.
///
/// # Errors
/// If it is too long.
pub(crate) fn lossy(text: &LuaString, bound: Bound) -> Result<String, TooLong> {
    bound.check(text)?;
    Ok(repaired(&text.as_bytes()))
}

/// Calls `take` with a line of output. Valid UTF-8 is not copied.
///
/// # Errors
/// If it is too long.
pub(crate) fn with_output<R>(text: &LuaString, take: impl FnOnce(&str) -> R) -> Result<R, TooLong> {
    OUTPUT.check(text)?;
    if let Ok(text) = text.to_str() {
        return Ok(take(&text));
    }
    REPAIRED_OUTPUT.check(text)?;
    Ok(take(&repaired(&text.as_bytes())))
}

/// Returns at most `most` bytes from the start of a string, and an ellipsis if there are more.
pub(crate) fn beginning(text: &LuaString, most: usize) -> String {
    let bytes = text.as_bytes();
    match bytes.get(..most) {
        Some(start) if start.len() < bytes.len() => repaired(start) + "…",
        _ => repaired(&bytes),
    }
}

/// The number of bytes that an error message quotes.
const MAX_QUOTED: usize = 100;

/// Returns the part of a string that an error message quotes.
pub(crate) fn shown(text: &LuaString) -> String {
    beginning(text, MAX_QUOTED)
}

impl Bound {
    fn check(self, text: &LuaString) -> Result<(), TooLong> {
        let length = text.as_bytes().len();
        if length <= self.most { Ok(()) } else { Err(TooLong { bound: self, length }) }
    }
}

/// The error for a string that is longer than its purpose allows.
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
