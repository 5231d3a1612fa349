//! The library `json`: `encode`, `decode` and `null`, on `serde_json`.

use std::cell::Cell;
use std::ffi::c_void;
use std::{fmt, io};

use mlua::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::bind::{Binder, Callee};
use crate::error::NOT_ENOUGH_MEMORY;
use crate::failure::Failure;
use crate::raw;
use crate::value::{number, type_name};

/// Adds `json` to the globals of `lua`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, binder: &Binder) -> LuaResult<()> {
    let json = lua.create_table()?;
    json.raw_set("null", LuaValue::NULL)?;
    json.raw_set(
        "encode",
        binder.plain(lua, Callee::Function("encode"), |lua, args| {
            let value = args.any(1)?;
            let text = encode(lua, &value).map_err(|message| Failure::new(format!("cannot encode: {message}")))?;
            Ok(lua.create_string(text)?)
        })?,
    )?;
    json.raw_set(
        "decode",
        binder.plain(lua, Callee::Function("decode"), |lua, args| {
            let text = args.string(1)?;
            decode(lua, &text.as_bytes()).map_err(|message| Failure::new(format!("cannot decode: {message}")))
        })?,
    )?;
    lua.globals().raw_set("json", json)
}

/// Deeper values are refused in both directions: the recursion uses the stack, and that is not endless.
const DEEPEST: usize = 127;

/// So many writes or values after one another it is asked whether the script may go on: there is no other way to interrupt it.
const ASK_EVERY: u32 = 4_000;

/// What is told to a script that may not; it is ended by more than that.
const TIMED_OUT: &str = "timed out";

/// The text for a value.
///
/// A table whose keys are 1 to n is an array, the empty one too; one whose keys are strings is an object, with its keys
/// in order, so that equal tables give equal texts.
fn encode(lua: &Lua, value: &LuaValue) -> Result<Vec<u8>, String> {
    let mut text = Text { bytes: Vec::new(), most: raw::memory_left(lua), writes: 0 };
    serde_json::to_writer(&mut text, &Encoded { value, above: None }).map_err(|error| error.to_string())?;
    Ok(text.bytes)
}

/// The text so far. A small table that is in another one many times, and that one in a third, makes one of any length.
struct Text {
    bytes: Vec<u8>,
    most: usize,
    writes: u32,
}

impl io::Write for Text {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        if self.writes.is_multiple_of(ASK_EVERY) && raw::is_out_of_time() {
            return Err(io::Error::other(TIMED_OUT));
        }
        if self.bytes.len() + part.len() > self.most || self.bytes.try_reserve(part.len()).is_err() {
            return Err(io::Error::other(NOT_ENOUGH_MEMORY));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value that is being encoded, and the way to it.
struct Encoded<'a> {
    value: &'a LuaValue,
    above: Option<&'a Above<'a>>,
}

/// A table around a value, under which key the value is in it, and what is around the table.
struct Above<'a> {
    table: *const c_void,
    key: Key<'a>,
    outer: Option<&'a Above<'a>>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Index(usize),
    Name(&'a str),
}

impl Encoded<'_> {
    /// An error that says where in the value it is.
    fn error<E: serde::ser::Error>(&self, message: impl fmt::Display) -> E {
        let mut keys = Vec::new();
        let mut level = self.above;
        while let Some(above) = level {
            keys.push(match above.key {
                Key::Index(index) => format!("[{index}]"),
                Key::Name(name) => format!(".{name}"),
            });
            level = above.outer;
        }
        if keys.is_empty() {
            return E::custom(message);
        }
        keys.reverse();
        E::custom(format_args!("{message} (at {})", keys.concat().trim_start_matches('.')))
    }

    fn is_inside(&self, table: *const c_void) -> bool {
        let mut level = self.above;
        while let Some(above) = level {
            if above.table == table {
                return true;
            }
            level = above.outer;
        }
        false
    }

    fn table<S: Serializer>(&self, table: &LuaTable, serializer: S) -> Result<S::Ok, S::Error> {
        let id = table.to_pointer();
        let depth = self.above.map_or(0, |above| above.depth) + 1;
        if self.is_inside(id) {
            return Err(self.error("a table contains itself"));
        }
        if depth > DEEPEST {
            return Err(self.error(format_args!("tables more than {DEEPEST} deep")));
        }
        let below = |key| Above { table: id, key, outer: self.above, depth };

        let length = table.raw_len();
        // Not the values: a million of them is more than Rust may hold of Luau's.
        let mut names = Vec::new();
        let mut in_array = 0;
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (key, _) = pair.map_err(|error| self.error(error))?;
            match &key {
                LuaValue::String(name) => {
                    let name = name.to_str().map_err(|_| self.error("a key that is not UTF-8"))?;
                    names.push(name.to_owned());
                }
                key if number(key).is_some_and(|index| is_index(index, length)) => in_array += 1,
                key => {
                    let kind = if number(key).is_some() { "a number outside of 1 to n" } else { &type_name(key) };
                    return Err(self.error(format_args!("a table with {kind} as a key")));
                }
            }
        }
        if in_array > 0 && !names.is_empty() {
            return Err(self.error("a table with both strings and numbers as keys"));
        }

        if names.is_empty() && in_array != length {
            return Err(self.error("an array with holes (json.null can fill them)"));
        }

        if names.is_empty() {
            let mut array = serializer.serialize_seq(Some(length))?;
            for index in 1..=length {
                let value: LuaValue = table.raw_get(index).map_err(|error| self.error(error))?;
                array.serialize_element(&Encoded { value: &value, above: Some(&below(Key::Index(index))) })?;
            }
            return array.end();
        }
        names.sort();
        let mut object = serializer.serialize_map(Some(names.len()))?;
        for name in &names {
            let value: LuaValue = table.raw_get(name.as_str()).map_err(|error| self.error(error))?;
            object.serialize_entry(name, &Encoded { value: &value, above: Some(&below(Key::Name(name))) })?;
        }
        object.end()
    }
}

#[expect(clippy::cast_precision_loss, reason = "no table is that long")]
fn is_index(index: f64, length: usize) -> bool {
    index >= 1.0 && index <= length as f64 && index.fract() == 0.0
}

/// The numbers up to which every whole one is exact.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(number) = number(self.value) {
            if !number.is_finite() {
                return Err(self.error(format_args!("{number} is no number of JSON")));
            }
            if number.fract() == 0.0 && number.abs() <= LARGEST_EXACT {
                #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
                return serializer.serialize_i64(number as i64);
            }
            return serializer.serialize_f64(number);
        }
        match self.value {
            LuaValue::Nil => serializer.serialize_unit(),
            value if *value == LuaValue::NULL => serializer.serialize_unit(),
            LuaValue::Boolean(boolean) => serializer.serialize_bool(*boolean),
            LuaValue::String(text) => match text.to_str() {
                Ok(text) => serializer.serialize_str(&text),
                Err(_) => Err(self.error("a string that is not UTF-8")),
            },
            LuaValue::Table(table) => self.table(table, serializer),
            other => Err(self.error(format_args!("a {}", type_name(other)))),
        }
    }
}

/// The value for a text. `null` is `json.null`, so that it can stand in a table.
fn decode(lua: &Lua, text: &[u8]) -> Result<LuaValue, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value =
        Decoder { lua, values: &Cell::new(0) }.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Makes a Luau value of what `serde_json` reads.
#[derive(Clone, Copy)]
struct Decoder<'a> {
    lua: &'a Lua,
    /// How many there were.
    values: &'a Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Decoder<'_> {
    type Value = LuaValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LuaValue, D::Error> {
        let values = self.values.get().wrapping_add(1);
        self.values.set(values);
        if values.is_multiple_of(ASK_EVERY) && raw::is_out_of_time() {
            return Err(serde::de::Error::custom(TIMED_OUT));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Decoder<'_> {
    type Value = LuaValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<LuaValue, E> {
        Ok(LuaValue::NULL)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<LuaValue, E> {
        Ok(LuaValue::Boolean(boolean))
    }

    fn visit_f64<E>(self, number: f64) -> Result<LuaValue, E> {
        Ok(LuaValue::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "Luau's numbers are f64")]
    fn visit_i64<E>(self, number: i64) -> Result<LuaValue, E> {
        Ok(LuaValue::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "Luau's numbers are f64")]
    fn visit_u64<E>(self, number: u64) -> Result<LuaValue, E> {
        Ok(LuaValue::Number(number as f64))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<LuaValue, E> {
        self.lua.create_string(text).map(LuaValue::String).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<LuaValue, A::Error> {
        use serde::de::Error;
        let table = self.lua.create_table().map_err(A::Error::custom)?;
        while let Some(value) = sequence.next_element_seed(self)? {
            table.raw_push(value).map_err(A::Error::custom)?;
        }
        Ok(LuaValue::Table(table))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LuaValue, A::Error> {
        use serde::de::Error;
        let table = self.lua.create_table().map_err(A::Error::custom)?;
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self)?;
            table.raw_set(key, value).map_err(A::Error::custom)?;
        }
        Ok(LuaValue::Table(table))
    }
}
