//! The arguments of `connect`.

use std::collections::HashSet;

use mlua::prelude::*;

use crate::bind::Args;
use crate::failure::Failure;
use crate::text;
use crate::value::{number, type_name};

/// How long `connect` waits for an answer by default, in seconds.
const DEFAULT_TIMEOUT: f64 = 30.0;

/// What binary messages are for the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    String,
    Buffer,
}

/// The options of `connect`.
pub(super) struct Options {
    pub(super) protocols: Vec<String>,
    /// In seconds.
    pub(super) timeout: f64,
    pub(super) binary: Binary,
}

impl Options {
    pub(super) fn read(args: &Args, index: usize) -> Result<Self, Failure> {
        let mut options = Self { protocols: Vec::new(), timeout: DEFAULT_TIMEOUT, binary: Binary::String };
        let table = match args.value(index) {
            LuaValue::Nil => return Ok(options),
            LuaValue::Table(table) => table,
            _ => return Err(args.mismatch(index, "table")),
        };
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (key, value) = pair?;
            // Whatever else it is, its text is the script's own business, and so may be the making of it.
            let LuaValue::String(key) = key else {
                let (shown, kind) = (number(&key).map_or_else(String::new, |key| format!(" {key}")), type_name(&key));
                return Err(Failure::new(format!("invalid option{shown} to 'connect' (a name expected, got {kind})")));
            };
            match text::shown(&key).as_str() {
                "protocols" => options.protocols = read_protocols(&value)?,
                "timeout" => options.timeout = read_timeout(&value)?,
                "binary" => options.binary = read_binary(&value)?,
                "headers" => {
                    return Err(Failure::new(
                        "invalid option 'headers' to 'connect': a browser does not let a page set the headers of a \
                         WebSocket; put what the server needs into the URL, a subprotocol or the first message",
                    ));
                }
                other => {
                    return Err(Failure::new(format!(
                        "invalid option '{other}' to 'connect' (there are: protocols, timeout, binary)"
                    )));
                }
            }
        }
        Ok(options)
    }
}

fn read_timeout(value: &LuaValue) -> Result<f64, Failure> {
    match number(value) {
        Some(seconds) if seconds >= 0.0 => Ok(seconds),
        _ => Err(Failure::new(format!(
            "invalid option 'timeout' to 'connect' (a number of seconds expected, got {})",
            shown(value)
        ))),
    }
}

/// A value as an error shows it: what is no text or number by its type alone.
fn shown(value: &LuaValue) -> String {
    match value {
        LuaValue::String(text) => format!("\"{}\"", text::shown(text)),
        other => number(other).map_or_else(|| type_name(other), |number| number.to_string()),
    }
}

fn read_binary(value: &LuaValue) -> Result<Binary, Failure> {
    match value.as_string().map(|text| text.as_bytes().to_vec()).as_deref() {
        Some(b"string") => Ok(Binary::String),
        Some(b"buffer") => Ok(Binary::Buffer),
        _ => Err(Failure::new(format!(
            "invalid option 'binary' to 'connect' (\"string\" or \"buffer\" expected, got {})",
            shown(value)
        ))),
    }
}

/// The subprotocols, each a token of HTTP and none twice, as the standard has it (`WebSockets`, section 3.1).
fn read_protocols(value: &LuaValue) -> Result<Vec<String>, Failure> {
    let LuaValue::Table(table) = value else {
        return Err(Failure::new(format!(
            "invalid option 'protocols' to 'connect' (a list of strings expected, got {})",
            type_name(value)
        )));
    };
    let length = table.raw_len();
    if table.pairs::<LuaValue, LuaValue>().count() != length {
        return Err(Failure::new(
            "invalid option 'protocols' to 'connect' (a list expected, with the keys 1 to n and no other)",
        ));
    }
    let mut protocols = Vec::new();
    let mut seen = HashSet::new();
    for index in 1..=length {
        let entry: LuaValue = table.raw_get(index)?;
        let protocol = match &entry {
            LuaValue::String(text) => text::lossy(text, text::PROTOCOL).map_err(|error| {
                Failure::new(format!("invalid option 'protocols' to 'connect' (entry {index}: {error})"))
            })?,
            other => {
                return Err(Failure::new(format!(
                    "invalid option 'protocols' to 'connect' (entry {index}: string expected, got {})",
                    type_name(other)
                )));
            }
        };
        if protocol.is_empty() || !protocol.bytes().all(is_token_byte) {
            return Err(Failure::new(format!(
                "invalid option 'protocols' to 'connect' (entry {index}, \"{protocol}\", is not a token: letters, \
                 digits and !#$%&'*+-.^_`|~)"
            )));
        }
        if !seen.insert(protocol.clone()) {
            return Err(Failure::new(format!(
                "invalid option 'protocols' to 'connect' (entry {index}, \"{protocol}\", is there twice)"
            )));
        }
        protocols.push(protocol);
    }
    Ok(protocols)
}

/// RFC 9110, section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

pub(super) fn is_websocket_url(url: &str) -> bool {
    // By hand, since browsers also take http: and relative URLs now (`WebSockets`, section 3.1).
    ["ws://", "wss://"].iter().any(|scheme| {
        url.as_bytes().get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}
