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
    pub(crate) most: usize,
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

/// The source of a chunk or module. The parser looks at the clock when it allocates, and reads a long token without.
pub(crate) const SOURCE: Bound = Bound { what: "source", most: 32 << 20 };

/// A text for `json.decode`, which looks at the clock at each value, and so not within a string, a number or white space.
pub(crate) const JSON: Bound = Bound { what: "text", most: 64 << 20 };

/// Output of `print` and `warn`.
const OUTPUT: Bound = Bound { what: "text", most: MAX_TEXT };

/// Output that is not UTF-8: each byte may become a character of two bytes.
const REPAIRED_OUTPUT: Bound = Bound { what: "text, which is not UTF-8,", most: 1 << 26 };

/// Checks the length of a line of output.
///
/// # Errors
/// If it is too long.
pub(crate) fn check_output(text: &LuaString) -> Result<(), TooLong> {
    OUTPUT.check(text)?;
    if text.to_str().is_ok() { Ok(()) } else { REPAIRED_OUTPUT.check(text) }
}

/// Converts a string for a purpose. Bytes that are not UTF-8 become U+FFFD, as in the Encoding Standard.
///
/// # Errors
/// If it is too long.
pub(crate) fn lossy(text: &LuaString, bound: Bound) -> Result<String, TooLong> {
    bound.check(text)?;
    Ok(repaired(&text.as_bytes()))
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

/// The number of bytes of what a host says of a failure that a script is told.
const MAX_REASON: usize = 500;

/// Returns the part of a URL that a message quotes.
pub(crate) fn shown_url(url: &str) -> String {
    start(url, MAX_QUOTED)
}

/// Returns what a host says of a failure, as a script is told it. It quotes `url`, if at all, in part.
pub(crate) fn shown_reason(reason: &str, url: &str) -> String {
    let is_long = url.len() > MAX_QUOTED;
    start(&if is_long { reason.replace(url, &shown_url(url)) } else { reason.to_owned() }, MAX_REASON)
}

/// Returns at most `most` bytes from the start of a text, and an ellipsis if there are more.
fn start(text: &str, most: usize) -> String {
    let start = &text[..text.floor_char_boundary(most)];
    if start.len() < text.len() { format!("{start}…") } else { text.to_owned() }
}

impl Bound {
    fn check(self, text: &LuaString) -> Result<(), TooLong> {
        self.check_length(text.as_bytes().len())
    }

    /// Checks a length in bytes.
    pub(crate) fn check_length(self, length: usize) -> Result<(), TooLong> {
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
