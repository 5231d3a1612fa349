//! Converts script strings to Rust strings.
//!
//! A script's string may be as long as its memory allows and contain any bytes, and the conversion to UTF-8 may triple its length. So every
//! conversion goes through this module. Each purpose has a maximum length, and a longer string is refused before it is converted.

use std::fmt;

use mlua::prelude::*;

/// The maximum length of a string for one purpose.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The name of the purpose in errors.
    what: &'static str,
    /// The maximum length, in bytes.
    pub max_bytes: usize,
}

/// The limit for URLs. Chromium kills the tab if a URL is longer than 2 MiB, and one byte may become nine: `%EF%BF%BD`.
pub const URL: Bound = Bound { what: "URL", max_bytes: 65_536 };

/// The limit for a subprotocol. All subprotocols share one request header, and servers accept headers of about 8 KiB.
pub const PROTOCOL: Bound = Bound { what: "subprotocol", max_bytes: 1_024 };

/// The limit for the name of a chunk, which every frame of every error repeats. Luau itself shows 255 bytes.
pub const CHUNK_NAME: Bound = Bound { what: "name of the chunk", max_bytes: 1_024 };

/// The limit for the path of a module, which is Linux's `PATH_MAX`. The host may put the path into a URL.
pub const MODULE_PATH: Bound = Bound { what: "path", max_bytes: 4_096 };

/// The maximum length of a string for JS, in bytes. It is half of V8's maximum of 2^29 - 24 characters, so that the host can still append
/// to the string.
pub const MAX_TEXT: usize = 1 << 28;

/// The limit for the source of a chunk or module. The parser reads the clock when it allocates, but not within a long token.
pub const SOURCE: Bound = Bound { what: "source", max_bytes: 32 << 20 };

/// The limit for the text of `json.decode`, which reads the clock at each value, but not within a string, a number or white space.
pub const JSON: Bound = Bound { what: "text", max_bytes: 64 << 20 };

/// The limit for the output of `print` and `warn`.
const OUTPUT: Bound = Bound { what: "text", max_bytes: MAX_TEXT };

/// The limit for output that is not UTF-8, of which each byte may become a character of two bytes.
const REPAIRED_OUTPUT: Bound = Bound { what: "text, which is not UTF-8,", max_bytes: 1 << 26 };

/// Checks the length of a line of output.
///
/// # Errors
/// If it is too long.
pub fn check_output(text: &LuaString) -> Result<(), TooLong> {
    OUTPUT.check(text)?;
    if text.to_str().is_ok() { Ok(()) } else { REPAIRED_OUTPUT.check(text) }
}

/// Converts a string for a purpose. Bytes that are not UTF-8 become U+FFFD, as in the Encoding Standard.
///
/// # Errors
/// If it is too long.
pub fn lossy(text: &LuaString, bound: Bound) -> Result<String, TooLong> {
    bound.check(text)?;
    Ok(repaired(&text.as_bytes()))
}

/// Returns at most `max_bytes` bytes from the start of a string, and an ellipsis if there are more.
pub fn beginning(text: &LuaString, max_bytes: usize) -> String {
    let bytes = text.as_bytes();
    match bytes.get(..max_bytes) {
        Some(start) if start.len() < bytes.len() => repaired(start) + "…",
        _ => repaired(&bytes),
    }
}

/// The maximum number of bytes of a string that an error message quotes.
const MAX_QUOTED_BYTES: usize = 100;

/// Returns the part of a string that an error message quotes.
pub fn shown(text: &LuaString) -> String {
    beginning(text, MAX_QUOTED_BYTES)
}

/// The maximum number of bytes of the host's reason for a failure that a script sees.
const MAX_REASON_BYTES: usize = 500;

/// Returns the part of a text that a message quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    start(text, MAX_QUOTED_BYTES)
}

/// Returns the host's reason for a failure as a script sees it. If the reason quotes `url`, it is shortened.
#[must_use]
pub fn shown_reason(reason: &str, url: &str) -> String {
    let is_long = url.len() > MAX_QUOTED_BYTES;
    start(&if is_long { reason.replace(url, &quoted(url)) } else { reason.to_owned() }, MAX_REASON_BYTES)
}

/// Returns at most `max_bytes` bytes from the start of a text, and an ellipsis if there are more.
fn start(text: &str, max_bytes: usize) -> String {
    let start = &text[..text.floor_char_boundary(max_bytes)];
    if start.len() < text.len() { format!("{start}…") } else { text.to_owned() }
}

impl Bound {
    fn check(self, text: &LuaString) -> Result<(), TooLong> {
        self.check_length(text.as_bytes().len())
    }

    /// Checks a length in bytes.
    ///
    /// # Errors
    /// If it is too long.
    pub fn check_length(self, length: usize) -> Result<(), TooLong> {
        if length <= self.max_bytes { Ok(()) } else { Err(TooLong { bound: self, length }) }
    }
}

/// The error for a string that is longer than its purpose allows.
#[derive(Clone, Copy, Debug)]
pub struct TooLong {
    bound: Bound,
    length: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Bound { what, max_bytes }, length) = (self.bound, self.length);
        write!(f, "the {what} is too long: {length} bytes, but the limit is {max_bytes}")
    }
}

fn repaired(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
