//! Luau values on their way to JS.

use std::collections::HashMap;
use std::ffi::c_void;

use js_sys::{Array, JsString, Map, Object};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use super::tables::Tables;
use crate::host::slots;
use crate::host::values::{self, define, descriptor, message_of};
use crate::raw;
use crate::text::MAX_TEXT;
use crate::value::number;

/// The way to convert strings that are not UTF-8 or longer than a string of JS can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvalidText {
    /// Refuses them. A host function that checks a text must not get something else that has methods of the same names, such as `includes`.
    Refuse,
    /// Makes a `Uint8Array` of them, for values that are only shown.
    Bytes,
}

/// One conversion of Luau values, what it has met, and which of the tables are still to be filled.
pub(super) struct Outward<'a> {
    converter: &'a Converter,
    invalid_text: InvalidText,
    /// What has come once, and comes again as the same: tables and buffers, and long strings, for the sake of the page's memory.
    known: HashMap<*const c_void, JsValue>,
    /// The first names of properties: records come in numbers, all with the same ones.
    names: HashMap<*const c_void, JsValue>,
    /// The number of objects that were made in JS.
    made: usize,
    unfilled: Vec<Target>,
    /// Those that they are to be filled from, in the same order.
    tables: Tables<'a>,
}

/// What a table becomes in JS.
enum Target {
    /// Of so many elements.
    Array(Array, usize),
    Object(Object),
    Map(Map),
}

impl<'a> Outward<'a> {
    pub(super) fn new(converter: &'a Converter, invalid_text: InvalidText) -> Self {
        let tables = Tables::new(&converter.0.lua);
        Self {
            converter,
            invalid_text,
            known: HashMap::new(),
            names: HashMap::new(),
            made: 0,
            unfilled: Vec::new(),
            tables,
        }
    }

    pub(super) fn value(&mut self, value: &LuaValue) -> LuaResult<JsValue> {
        raw::check_time()?;
        if let Some(number) = number(value) {
            return Ok(number.into());
        }
        Ok(match value {
            LuaValue::Nil => JsValue::UNDEFINED,
            LuaValue::Boolean(boolean) => (*boolean).into(),
            LuaValue::String(text) if text.as_bytes().len() < LONG => self.invalid_text.convert(text)?,
            LuaValue::String(text) => {
                let invalid_text = self.invalid_text;
                self.once(value, || invalid_text.convert(text))?
            }
            LuaValue::Buffer(buffer) => self.once(value, || bytes(&buffer.to_vec()))?,
            LuaValue::Vector(vector) => {
                self.count()?;
                Array::of3(&vector.x().into(), &vector.y().into(), &vector.z().into()).into()
            }
            LuaValue::Table(table) => self.table(table)?,
            // `json.null`
            value if *value == LuaValue::NULL => JsValue::NULL,
            LuaValue::UserData(_) => match raw::unboxed(&self.lua()?, value) {
                Some(integer) => integer.into(),
                None => self.converter.handle_of(value)?,
            },
            other => self.converter.handle_of(other)?,
        })
    }

    /// Converts a value of a table.
    fn value_in(&mut self, table: &LuaTable, key: &LuaValue, value: LuaValue) -> LuaResult<JsValue> {
        let value = raw::boxed_in(&self.lua()?, table, key, value)?;
        self.value(&value)
    }

    fn lua(&self) -> LuaResult<Lua> {
        self.converter.0.lua.try_upgrade().ok_or_else(|| LuaError::runtime("the VM is disposed"))
    }

    fn once(&mut self, value: &LuaValue, convert: impl FnOnce() -> LuaResult<JsValue>) -> LuaResult<JsValue> {
        let id = value.to_pointer();
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        self.count()?;
        slots::take(1)?;
        let converted = convert()?;
        self.known.insert(id, converted.clone());
        Ok(converted)
    }

    /// Counts an object that is to be made in JS.
    fn count(&mut self) -> LuaResult<()> {
        if self.made >= MAX_MADE {
            let message =
                format!("more than {MAX_MADE} tables, buffers, vectors and long strings cannot be handed over at once");
            return Err(LuaError::runtime(message));
        }
        self.made += 1;
        Ok(())
    }

    /// The name of a property of an object, of which all are strings.
    fn name(&mut self, key: &LuaValue) -> LuaResult<JsValue> {
        if let Some(known) = self.names.get(&key.to_pointer()) {
            return Ok(known.clone());
        }
        let name = self.value(key)?;
        if self.names.len() < MOST_NAMES {
            self.names.insert(key.to_pointer(), name.clone());
        }
        Ok(name)
    }

    fn table(&mut self, table: &LuaTable) -> LuaResult<JsValue> {
        let id = table.to_pointer();
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        self.count()?;
        // One is for the target.
        slots::take(2)?;
        let target = Target::of(table)?;
        let result = match &target {
            Target::Array(array, _) => JsValue::from(array),
            Target::Object(object) => JsValue::from(object),
            Target::Map(map) => JsValue::from(map),
        };
        self.known.insert(id, result.clone());
        self.tables.push(table)?;
        self.unfilled.push(target);
        Ok(result)
    }

    pub(super) fn fill(&mut self) -> LuaResult<()> {
        if self.unfilled.is_empty() {
            return Ok(());
        }
        let descriptor = descriptor();
        while let Some(target) = self.unfilled.pop()
            && let Some(table) = self.tables.pop()?
        {
            match target {
                Target::Array(array, length) => {
                    for index in 1..=length {
                        let value = table.raw_get(index)?;
                        array.push(&self.value_in(&table, &LuaValue::Number(index_number(index)), value)?);
                    }
                }
                Target::Object(object) => {
                    for pair in table.pairs() {
                        let (key, value) = pair?;
                        define(&object, &self.name(&key)?, &self.value_in(&table, &key, value)?, &descriptor);
                    }
                }
                Target::Map(map) => {
                    for pair in table.pairs() {
                        let (key, value) = pair?;
                        map.set(&self.value(&key)?, &self.value_in(&table, &key, value)?);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Target {
    fn of(table: &LuaTable) -> LuaResult<Self> {
        let length = table.raw_len();
        let is_within = |index: u32| usize::try_from(index).is_ok_and(|index| index <= length);
        let (mut count, mut is_array, mut is_object) = (0, true, true);
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (key, _) = pair?;
            raw::check_time()?;
            count += 1;
            is_array = is_array && index_of(&key).is_some_and(is_within);
            is_object = is_object && key.as_string().is_some_and(|key| key.to_str().is_ok());
            if !is_array && !is_object {
                return Ok(Self::Map(Map::new()));
            }
        }
        // As many keys as the length, and none beyond it: a table with a hole has fewer.
        Ok(if is_array && count == length {
            Self::Array(Array::new(), length)
        } else if is_object {
            Self::Object(Object::new())
        } else {
            Self::Map(Map::new())
        })
    }
}

/// A key as the index of an array, from 1.
fn index_of(key: &LuaValue) -> Option<u32> {
    let index = number(key)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "compared with what it was right after"
    )]
    let whole = index as u32;
    (whole > 0 && f64::from(whole).total_cmp(&index).is_eq()).then_some(whole)
}

#[expect(clippy::cast_precision_loss, reason = "no table is that long")]
fn index_number(index: usize) -> f64 {
    index as f64
}

/// How many names are kept: each takes a place in the module's table of objects of JS.
const MOST_NAMES: usize = 1_000;

/// The number of objects that one conversion may make: the host takes a second or two for them, and they need some hundred megabytes.
const MAX_MADE: usize = 2_000_000;

/// From how many bytes on a string is converted once only: for a shorter one that costs more than it saves.
const LONG: usize = 128;

impl InvalidText {
    fn convert(self, text: &LuaString) -> LuaResult<JsValue> {
        let length = text.as_bytes().len();
        raw::note_read(length);
        let refusal = match text.to_str() {
            Ok(text) if length <= MAX_TEXT => return js_text(&text).map(JsValue::from),
            Ok(_) => format!("a string for JavaScript may have {MAX_TEXT} bytes, and this one has {length}"),
            Err(_) => NOT_UTF_8.to_owned(),
        };
        match self {
            Self::Refuse => Err(LuaError::runtime(refusal)),
            Self::Bytes => bytes(&text.as_bytes()),
        }
    }
}

/// The length of a part of a text that is converted at once, in bytes.
const MAX_AT_ONCE: usize = 8 << 20;

/// Makes a string of JS, in parts between which the clock is looked at. JS joins them when it reads the string.
fn js_text(text: &str) -> LuaResult<JsString> {
    if text.len() <= MAX_AT_ONCE {
        return Ok(JsString::from(text));
    }
    let mut whole = JsString::from("");
    let mut rest = text;
    while !rest.is_empty() {
        raw::check_time_now()?;
        let (part, after) = rest.split_at(rest.floor_char_boundary(MAX_AT_ONCE));
        whole = whole.concat(&JsString::from(part));
        rest = after;
    }
    Ok(whole)
}

const NOT_UTF_8: &str =
    "a string for JavaScript must be UTF-8, and this one is not; to give bytes, use a buffer: buffer.fromstring(text)";

fn bytes(bytes: &[u8]) -> LuaResult<JsValue> {
    raw::note_read(bytes.len());
    values::byte_array(bytes).map(JsValue::from).map_err(|thrown| LuaError::runtime(message_of(&thrown)))
}
