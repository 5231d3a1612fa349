//! The library `json`, based on `serde_json`.

mod number;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::rc::Rc;
use std::{fmt, io};

use mlua::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use self::number::JsNumbers;
use crate::call_error::CallError;
use crate::ffi;
use crate::function::{Args, Callee, FunctionBuilder};
use crate::text;
use crate::value::{number, type_name};

/// Adds `json` to the globals of `lua`.
///
/// # Errors
/// If there is not enough memory.
pub fn install(lua: &Lua, builder: &FunctionBuilder) -> LuaResult<()> {
    let json = lua.create_table()?;
    let marks = Rc::new(Marks::new(lua)?);
    json.raw_set("null", LuaValue::NULL)?;
    json.raw_set("object", {
        let marks = marks.clone();
        builder.sync(lua, Callee::Function("object"), move |_, args| marks.mark(&args, Shape::Object))?
    })?;
    json.raw_set("array", {
        let marks = marks.clone();
        builder.sync(lua, Callee::Function("array"), move |_, args| marks.mark(&args, Shape::Array))?
    })?;
    json.raw_set("encode", {
        let marks = marks.clone();
        builder.sync(lua, Callee::Function("encode"), move |lua, args| {
            let value = args.any(1)?;
            let text =
                encode(lua, &value, &marks).map_err(|message| CallError::new(format!("cannot encode: {message}")))?;
            Ok(lua.create_string(text)?)
        })?
    })?;
    json.raw_set(
        "decode",
        builder.sync(lua, Callee::Function("decode"), move |lua, args| {
            let text = args.string(1)?;
            decode(lua, &text.as_bytes(), &marks).map_err(|message| CallError::new(format!("cannot decode: {message}")))
        })?,
    )?;
    lua.globals().raw_set("json", json)
}

/// The JSON type of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Array,
    Object,
}

/// The metatables that mark tables as arrays or objects, for tables whose keys are ambiguous. They are empty and frozen, and a script may
/// replace them with its own. A metatable is preserved by `table.clone` and takes no memory per table, unlike a list of tables.
struct Marks {
    array: LuaTable,
    object: LuaTable,
}

impl Marks {
    fn new(lua: &Lua) -> LuaResult<Self> {
        let (array, object) = (lua.create_table()?, lua.create_table()?);
        array.set_readonly(true);
        object.set_readonly(true);
        Ok(Self { array, object })
    }

    /// Returns the mark of a table, if it has one.
    fn shape(&self, table: &LuaTable) -> Option<Shape> {
        let mark = table.metatable()?.to_pointer();
        if mark == self.object.to_pointer() {
            Some(Shape::Object)
        } else {
            (mark == self.array.to_pointer()).then_some(Shape::Array)
        }
    }

    /// Marks the first argument, and returns it.
    fn mark(&self, args: &Args, shape: Shape) -> Result<LuaTable, CallError> {
        let LuaValue::Table(table) = args.value(1) else { return Err(args.mismatch(1, "table")) };
        let current = self.shape(&table);
        if current != Some(shape) {
            let reason = if table.is_readonly() {
                Some("is frozen")
            } else {
                (current.is_none() && table.metatable().is_some()).then_some("has a metatable")
            };
            if let Some(reason) = reason {
                return Err(CallError::new(format!("cannot mark a table that {reason}")));
            }
            let mark = if shape == Shape::Object { &self.object } else { &self.array };
            table.set_metatable(Some(mark.clone()))?;
        }
        Ok(table)
    }
}

/// The maximum depth of values, in both directions: the recursion uses the stack, which is limited.
const MAX_DEPTH: usize = 127;

/// Encodes a value as text.
///
/// A table whose keys are 1 to n is an array. So is an empty one, unless it is marked as an object. A table whose keys are strings is an
/// object, with its keys sorted, so that equal tables produce equal text.
fn encode(lua: &Lua, value: &LuaValue, marks: &Marks) -> Result<Vec<u8>, String> {
    let memory = &Memory { text: Cell::new(0), names: Cell::new(0), max_bytes: ffi::memory_left(lua) };
    let mut text = Text { bytes: Vec::new(), memory };
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, JsNumbers);
    Encoded { lua, value, marks, memory, above: None }.serialize(&mut serializer).map_err(|error| error.to_string())?;
    Ok(text.bytes)
}

/// The text so far. It may get very long even for small tables: one may occur many times in another one, which occurs many times in a
/// third.
struct Text<'a> {
    bytes: Vec<u8>,
    memory: &'a Memory,
}

impl io::Write for Text<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        ffi::check_time().map_err(|termination| io::Error::other(termination.to_string()))?;
        self.memory.text.set(self.bytes.capacity().max(self.bytes.len() + part.len()));
        if self.memory.is_used_up() || self.bytes.try_reserve(part.len()).is_err() {
            return Err(io::Error::other(ffi::refuse_memory()));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The memory for the text, and for the names of all tables that are being encoded, in bytes. A name may occur in many of them.
struct Memory {
    text: Cell<usize>,
    names: Cell<usize>,
    max_bytes: usize,
}

impl Memory {
    fn is_used_up(&self) -> bool {
        self.text.get() + self.names.get() > self.max_bytes
    }
}

/// A value that is being encoded, and the path to it.
struct Encoded<'a> {
    lua: &'a Lua,
    value: &'a LuaValue,
    marks: &'a Marks,
    memory: &'a Memory,
    above: Option<&'a Above<'a>>,
}

/// A table that contains the value, with the key of the value and the table's own containers.
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
    /// Creates an error that includes the path to the value.
    fn error<E: serde::ser::Error>(&self, message: impl fmt::Display) -> E {
        let mut keys = Vec::new();
        let mut level = self.above;
        while let Some(above) = level {
            keys.push(match above.key {
                Key::Index(index) => format!("[{index}]"),
                Key::Name(name) => format!(".{}", text::quoted(name)),
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

    /// Returns a field of a table. An integer is returned in a box.
    fn value_in<E: serde::ser::Error>(&self, table: &LuaTable, key: impl IntoLua) -> Result<LuaValue, E> {
        let value = || {
            let key = key.into_lua(self.lua)?;
            ffi::boxed_in(self.lua, table, &key, table.raw_get(&key)?)
        };
        value().map_err(|error| self.error(error))
    }

    fn table<S: Serializer>(&self, table: &LuaTable, serializer: S) -> Result<S::Ok, S::Error> {
        let id = table.to_pointer();
        let depth = self.above.map_or(0, |above| above.depth) + 1;
        if self.is_inside(id) {
            return Err(self.error("a table contains itself"));
        }
        if depth > MAX_DEPTH {
            return Err(self.error(format_args!("tables nested more than {MAX_DEPTH} deep")));
        }
        let below = |key| Above { table: id, key, outer: self.above, depth };
        let (lua, marks, memory) = (self.lua, self.marks, self.memory);
        let names_above = memory.names.get();
        let shape = marks.shape(table);

        let length = table.raw_len();
        // Only the names and not the values: Rust cannot hold a million Luau values.
        let mut names = BTreeSet::new();
        let mut in_array = 0;
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (key, _) = pair.map_err(|error| self.error(error))?;
            ffi::check_time().map_err(|termination| self.error(termination))?;
            match &key {
                LuaValue::String(name) => {
                    let name = name.to_str().map_err(|_| self.error("a key that is not UTF-8"))?;
                    memory.names.set(memory.names.get() + name.len() + size_of::<String>());
                    if memory.is_used_up() || !ffi::has_room(name.len()) {
                        return Err(self.error(ffi::refuse_memory()));
                    }
                    names.insert(name.to_owned());
                }
                key if number(key).is_some_and(|index| is_index(index, length)) => in_array += 1,
                key => {
                    return Err(if number(key).is_some() {
                        self.error("a table with a number outside 1 to n as a key")
                    } else {
                        self.error(format_args!("a table with a key of type {}", type_name(key)))
                    });
                }
            }
        }
        if in_array > 0 && !names.is_empty() {
            return Err(self.error("a table with both strings and numbers as keys"));
        }

        match shape {
            Some(Shape::Object) if in_array > 0 => return Err(self.error("an object with a number as a key")),
            Some(Shape::Array) if !names.is_empty() => return Err(self.error("an array with a string as a key")),
            _ => {}
        }

        if names.is_empty() && in_array != length {
            return Err(self.error("an array with holes (json.null can fill them)"));
        }

        if names.is_empty() && shape != Some(Shape::Object) {
            let mut array = serializer.serialize_seq(Some(length))?;
            for index in 1..=length {
                let value = self.value_in(table, index)?;
                array.serialize_element(&Encoded {
                    lua,
                    value: &value,
                    marks,
                    memory,
                    above: Some(&below(Key::Index(index))),
                })?;
            }
            return array.end();
        }
        let mut object = serializer.serialize_map(Some(names.len()))?;
        for name in &names {
            let value = self.value_in(table, name.as_str())?;
            let above = Some(&below(Key::Name(name)));
            object.serialize_entry(name, &Encoded { lua, value: &value, marks, memory, above })?;
        }
        memory.names.set(names_above);
        object.end()
    }
}

#[expect(clippy::cast_precision_loss, reason = "no table is that long")]
fn is_index(index: f64, length: usize) -> bool {
    index >= 1.0 && index <= length as f64 && index.fract() == 0.0
}

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(number) = number(self.value) {
            if !number.is_finite() {
                return Err(self.error(format_args!("{number} is not a valid JSON number")));
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
            value if let Some(integer) = ffi::unboxed(self.lua, value) => serializer.serialize_i64(integer),
            other => Err(self.error(format_args!("a {}", type_name(other)))),
        }
    }
}

/// Decodes text to a value. `null` becomes `json.null`, which tables can hold, and objects are marked.
fn decode(lua: &Lua, text: &[u8], marks: &Marks) -> Result<LuaValue, String> {
    text::JSON.check_length(text.len()).map_err(|too_long| too_long.to_string())?;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Decoder { lua, marks }.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// A visitor that creates Luau values from the events of `serde_json`.
#[derive(Clone, Copy)]
struct Decoder<'a> {
    lua: &'a Lua,
    marks: &'a Marks,
}

/// Returns the error for a value that Luau could not create, without mlua's traceback.
fn refused<E: serde::de::Error>(error: LuaError) -> E {
    E::custom(CallError::from(error).message())
}

impl<'de> DeserializeSeed<'de> for Decoder<'_> {
    type Value = LuaValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LuaValue, D::Error> {
        ffi::check_time().map_err(serde::de::Error::custom)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Decoder<'_> {
    type Value = LuaValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
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
        self.lua.create_string(text).map(LuaValue::String).map_err(refused)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<LuaValue, A::Error> {
        let table = self.lua.create_table().map_err(refused)?;
        while let Some(value) = sequence.next_element_seed(self)? {
            table.raw_push(value).map_err(refused)?;
        }
        Ok(LuaValue::Table(table))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LuaValue, A::Error> {
        let table = self.lua.create_table().map_err(refused)?;
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self)?;
            table.raw_set(key, value).map_err(refused)?;
        }
        table.set_metatable(Some(self.marks.object.clone())).map_err(refused)?;
        Ok(LuaValue::Table(table))
    }
}
