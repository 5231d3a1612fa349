//! The library `json`, on `serde_json`.

mod number;

use std::ffi::c_void;
use std::rc::Rc;
use std::{fmt, io};

use mlua::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use self::number::JsNumbers;
use crate::bind::{Args, Binder, Callee};
use crate::failure::Failure;
use crate::raw;
use crate::text;
use crate::value::{number, type_name};

/// Adds `json` to the globals of `lua`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, binder: &Binder) -> LuaResult<()> {
    let json = lua.create_table()?;
    let marks = Rc::new(Marks::new(lua)?);
    let [marks_of_encode, marks_of_decode, marks_of_object, marks_of_array] = [(); 4].map(|()| marks.clone());
    json.raw_set("null", LuaValue::NULL)?;
    json.raw_set(
        "object",
        binder.plain(lua, Callee::Function("object"), move |_, args| marks_of_object.mark(&args, Shape::Object))?,
    )?;
    json.raw_set(
        "array",
        binder.plain(lua, Callee::Function("array"), move |_, args| marks_of_array.mark(&args, Shape::Array))?,
    )?;
    json.raw_set(
        "encode",
        binder.plain(lua, Callee::Function("encode"), move |lua, args| {
            let value = args.any(1)?;
            let text = encode(lua, &value, &marks_of_encode)
                .map_err(|message| Failure::new(format!("cannot encode: {message}")))?;
            Ok(lua.create_string(text)?)
        })?,
    )?;
    json.raw_set(
        "decode",
        binder.plain(lua, Callee::Function("decode"), move |lua, args| {
            let text = args.string(1)?;
            decode(lua, &text.as_bytes(), &marks_of_decode)
                .map_err(|message| Failure::new(format!("cannot decode: {message}")))
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

/// The metatables that mark tables as arrays or objects, for tables whose keys do not tell. They are empty and frozen, and a script may
/// replace them by its own. A metatable goes along with `table.clone` and takes no memory per table, which a list of tables would.
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
    fn mark(&self, args: &Args, shape: Shape) -> Result<LuaTable, Failure> {
        let LuaValue::Table(table) = args.value(1) else { return Err(args.mismatch(1, "table")) };
        let current = self.shape(&table);
        if current != Some(shape) {
            let reason = if table.is_readonly() {
                Some("is frozen")
            } else {
                (current.is_none() && table.metatable().is_some()).then_some("has a metatable")
            };
            if let Some(reason) = reason {
                return Err(Failure::new(format!("cannot mark a table that {reason}")));
            }
            let mark = if shape == Shape::Object { &self.object } else { &self.array };
            table.set_metatable(Some(mark.clone()))?;
        }
        Ok(table)
    }
}

/// Deeper values are refused in both directions: the recursion uses the stack, and that is not endless.
const DEEPEST: usize = 127;

/// The text for a value.
///
/// A table whose keys are 1 to n is an array, the empty one too unless it is marked as an object; one whose keys are strings is an object,
/// with its keys in order, so that equal tables give equal texts.
fn encode(lua: &Lua, value: &LuaValue, marks: &Marks) -> Result<Vec<u8>, String> {
    let mut text = Text { bytes: Vec::new(), most: raw::memory_left(lua) };
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, JsNumbers);
    Encoded { lua, value, marks, above: None }.serialize(&mut serializer).map_err(|error| error.to_string())?;
    Ok(text.bytes)
}

/// The text so far. A small table that is in another one many times, and that one in a third, makes one of any length.
struct Text {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Text {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        raw::check_time().map_err(|doom| io::Error::other(doom.to_string()))?;
        if self.bytes.len() + part.len() > self.most || self.bytes.try_reserve(part.len()).is_err() {
            return Err(io::Error::other(raw::refuse_memory()));
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
    lua: &'a Lua,
    value: &'a LuaValue,
    marks: &'a Marks,
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

    /// Returns a value of a table, an integer in its box.
    fn value_in<E: serde::ser::Error>(&self, table: &LuaTable, key: impl IntoLua) -> Result<LuaValue, E> {
        let value = || {
            let key = key.into_lua(self.lua)?;
            raw::boxed_in(self.lua, table, &key, table.raw_get(&key)?)
        };
        value().map_err(|error| self.error(error))
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
        let (lua, marks) = (self.lua, self.marks);
        let shape = marks.shape(table);

        let length = table.raw_len();
        // Not the values: a million of them is more than Rust may hold of Luau's.
        let mut names = Vec::new();
        let mut in_array = 0;
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (key, _) = pair.map_err(|error| self.error(error))?;
            raw::check_time().map_err(|doom| self.error(doom))?;
            match &key {
                LuaValue::String(name) => {
                    let name = name.to_str().map_err(|_| self.error("a key that is not UTF-8"))?;
                    if !raw::has_room(name.len()) {
                        return Err(self.error(raw::refuse_memory()));
                    }
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

        match shape {
            Some(Shape::Object) if in_array > 0 => return Err(self.error("an object with number as a key")),
            Some(Shape::Array) if !names.is_empty() => return Err(self.error("an array with string as a key")),
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
                    above: Some(&below(Key::Index(index))),
                })?;
            }
            return array.end();
        }
        names.sort_unstable();
        let mut object = serializer.serialize_map(Some(names.len()))?;
        for name in &names {
            let value = self.value_in(table, name.as_str())?;
            object
                .serialize_entry(name, &Encoded { lua, value: &value, marks, above: Some(&below(Key::Name(name))) })?;
        }
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
                return Err(self.error(format_args!("{number} is no number of JSON")));
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
            value if let Some(integer) = raw::unboxed(self.lua, value) => serializer.serialize_i64(integer),
            other => Err(self.error(format_args!("a {}", type_name(other)))),
        }
    }
}

/// The value for a text. `null` is `json.null`, so that it can stand in a table, and objects are marked.
fn decode(lua: &Lua, text: &[u8], marks: &Marks) -> Result<LuaValue, String> {
    text::JSON.check_length(text.len()).map_err(|too_long| too_long.to_string())?;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Decoder { lua, marks }.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Makes a Luau value of what `serde_json` reads.
#[derive(Clone, Copy)]
struct Decoder<'a> {
    lua: &'a Lua,
    marks: &'a Marks,
}

impl<'de> DeserializeSeed<'de> for Decoder<'_> {
    type Value = LuaValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LuaValue, D::Error> {
        raw::check_time().map_err(serde::de::Error::custom)?;
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
        table.set_metatable(Some(self.marks.object.clone())).map_err(A::Error::custom)?;
        Ok(LuaValue::Table(table))
    }
}
