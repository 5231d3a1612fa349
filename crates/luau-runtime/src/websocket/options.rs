//! The arguments of `connect`.

use std::collections::HashSet;

use mlua::prelude::*;

use crate::call_error::CallError;
use crate::function::Args;
use crate::text;
use crate::value::{number, type_name};

/// The default time that `connect` waits for an answer, in seconds.
const DEFAULT_TIMEOUT_SECONDS: f64 = 30.0;

/// The Luau type of binary messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    String,
    Buffer,
}

/// The options of `connect`.
pub(super) struct Options {
    pub(super) protocols: Vec<String>,
    /// The timeout, in seconds.
    pub(super) timeout: f64,
    pub(super) binary: Binary,
}

impl Options {
    pub(super) fn read(args: &Args, index: usize) -> Result<Self, CallError> {
        let mut options = Self { protocols: Vec::new(), timeout: DEFAULT_TIMEOUT_SECONDS, binary: Binary::String };
        let table = match args.value(index) {
            LuaValue::Nil => return Ok(options),
            LuaValue::Table(table) => table,
            _ => return Err(args.mismatch(index, "table")),
        };
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (key, value) = pair?;
            // Other keys are not converted to text, because a script may define the conversion.
            let LuaValue::String(key) = key else {
                let (shown, kind) = (number(&key).map_or_else(String::new, |key| format!(" {key}")), type_name(&key));
                return Err(CallError::new(format!(
                    "invalid option{shown} to 'connect' (a name expected, got {kind})"
                )));
            };
            match text::shown(&key).as_str() {
                "protocols" => options.protocols = read_protocols(&value)?,
                "timeout" => options.timeout = read_timeout(&value)?,
                "binary" => options.binary = read_binary(&value)?,
                "headers" => {
                    return Err(CallError::new(
                        "invalid option 'headers' to 'connect': browsers do not allow setting the headers of a WebSocket; \
                        use the URL, a subprotocol or the first message instead",
                    ));
                }
                other => {
                    return Err(CallError::new(format!(
                        "invalid option '{other}' to 'connect' (valid options: protocols, timeout, binary)"
                    )));
                }
            }
        }
        Ok(options)
    }
}

fn read_timeout(value: &LuaValue) -> Result<f64, CallError> {
    match number(value) {
        Some(seconds) if seconds >= 0.0 => Ok(seconds),
        _ => Err(CallError::new(format!(
            "invalid option 'timeout' to 'connect' (a number of seconds expected, got {})",
            shown(value)
        ))),
    }
}

/// Returns a value as an error shows it. Values other than strings and numbers are shown by type.
fn shown(value: &LuaValue) -> String {
    match value {
        LuaValue::String(text) => format!("\"{}\"", text::shown(text)),
        other => number(other).map_or_else(|| type_name(other), |number| number.to_string()),
    }
}

fn read_binary(value: &LuaValue) -> Result<Binary, CallError> {
    match value.as_string().map(|text| text.as_bytes().to_vec()).as_deref() {
        Some(b"string") => Ok(Binary::String),
        Some(b"buffer") => Ok(Binary::Buffer),
        _ => Err(CallError::new(format!(
            "invalid option 'binary' to 'connect' (\"string\" or \"buffer\" expected, got {})",
            shown(value)
        ))),
    }
}

/// The maximum number of subprotocols. All share one request header, and servers accept headers of about 8 KiB.
const MAX_PROTOCOLS: usize = 100;

/// Reads the subprotocols. Each must be an HTTP token, and all must be different, as the standard requires (`WebSockets`, section 3.1).
fn read_protocols(value: &LuaValue) -> Result<Vec<String>, CallError> {
    let LuaValue::Table(table) = value else {
        return Err(CallError::new(format!(
            "invalid option 'protocols' to 'connect' (a list of strings expected, got {})",
            type_name(value)
        )));
    };
    let length = table.raw_len();
    if length > MAX_PROTOCOLS {
        return Err(CallError::new(format!(
            "invalid option 'protocols' to 'connect' ({length} entries, but the limit is {MAX_PROTOCOLS})"
        )));
    }
    if table.pairs::<LuaValue, LuaValue>().take(length + 1).count() != length {
        return Err(CallError::new(
            "invalid option 'protocols' to 'connect' (a list expected, with only the keys 1 to n)",
        ));
    }
    let mut protocols = Vec::new();
    let mut seen = HashSet::new();
    for index in 1..=length {
        let entry: LuaValue = table.raw_get(index)?;
        let protocol = match &entry {
            LuaValue::String(text) => text::lossy(text, text::PROTOCOL).map_err(|error| {
                CallError::new(format!("invalid option 'protocols' to 'connect' (entry {index}: {error})"))
            })?,
            other => {
                return Err(CallError::new(format!(
                    "invalid option 'protocols' to 'connect' (entry {index}: string expected, got {})",
                    type_name(other)
                )));
            }
        };
        if protocol.is_empty() || !protocol.bytes().all(is_token_byte) {
            return Err(CallError::new(format!(
                "invalid option 'protocols' to 'connect' (entry {index}, \"{protocol}\", is not a token: letters, \
                 digits and !#$%&'*+-.^_`|~)"
            )));
        }
        if !seen.insert(protocol.clone()) {
            return Err(CallError::new(format!(
                "invalid option 'protocols' to 'connect' (entry {index}, \"{protocol}\", is a duplicate)"
            )));
        }
        protocols.push(protocol);
    }
    Ok(protocols)
}

/// Returns true if a token may contain the byte (RFC 9110, section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

pub(super) fn is_websocket_url(url: &str) -> bool {
    // Checked here, because browsers now also accept http: and relative URLs (`WebSockets`, section 3.1).
    ["ws://", "wss://"].iter().any(|scheme| {
        url.as_bytes().get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}
