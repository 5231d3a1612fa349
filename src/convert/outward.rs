//! Luau values on their way to JS.

use std::collections::HashMap;
use std::ffi::c_void;

use js_sys::{Array, JsString, Map, Object};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use super::tables::Tables;
use crate::host::values::{self, define, descriptor, message_of};
use crate::text::MAX_TEXT;
use crate::value::number;

/// One conversion of Luau values, what it has met, and which of the tables are still to be filled.
pub(super) struct Outward<'a> {
    converter: &'a Converter,
    /// What has come once, and comes again as the same: tables and buffers, and long strings, for the sake of the page's memory.
    known: HashMap<*const c_void, JsValue>,
    /// The first names of properties: records come in numbers, all with the same ones.
    names: HashMap<*const c_void, JsValue>,
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
    pub(super) fn new(converter: &'a Converter) -> Self {
        let tables = Tables::new(&converter.0.lua);
        Self { converter, known: HashMap::new(), names: HashMap::new(), unfilled: Vec::new(), tables }
    }

    pub(super) fn value(&mut self, value: &LuaValue) -> LuaResult<JsValue> {
        if let Some(number) = number(value) {
            return Ok(number.into());
        }
        Ok(match value {
            LuaValue::Nil => JsValue::UNDEFINED,
            LuaValue::Boolean(boolean) => (*boolean).into(),
            LuaValue::String(text) if text.as_bytes().len() < LONG => string(text)?,
            LuaValue::String(text) => self.once(value, || string(text))?,
            LuaValue::Buffer(buffer) => self.once(value, || bytes(&buffer.to_vec()))?,
            LuaValue::Vector(vector) => Array::of3(&vector.x().into(), &vector.y().into(), &vector.z().into()).into(),
            LuaValue::Table(table) => self.table(table)?,
            // `json.null`
            value if *value == LuaValue::NULL => JsValue::NULL,
            other => self.converter.handle_of(other)?,
        })
    }

    fn once(&mut self, value: &LuaValue, convert: impl FnOnce() -> LuaResult<JsValue>) -> LuaResult<JsValue> {
        let id = value.to_pointer();
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let converted = convert()?;
        self.known.insert(id, converted.clone());
        Ok(converted)
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
        if self.known.len() >= MOST_KNOWN {
            return Err(LuaError::runtime(format!("more than {MOST_KNOWN} tables cannot be handed over at once")));
        }
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
                        array.push(&self.value(&value)?);
                    }
                }
                Target::Object(object) => {
                    for pair in table.pairs() {
                        let (key, value) = pair?;
                        define(&object, &self.name(&key)?, &self.value(&value)?, &descriptor);
                    }
                }
                Target::Map(map) => {
                    for pair in table.pairs() {
                        let (key, value) = pair?;
                        map.set(&self.value(&key)?, &self.value(&value)?);
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

/// How many names are kept: each takes a place in the module's table of objects of JS.
const MOST_NAMES: usize = 1_000;

/// How many tables and long strings one value may have in it. That table has room for ten million objects, where engines keep to the
/// limits of the JavaScript Interface of WebAssembly, it doubles when it is full, and each of these takes two places for a while.
const MOST_KNOWN: usize = 2_000_000;

/// From how many bytes on a string is converted once only: for a shorter one that costs more than it saves.
const LONG: usize = 128;

fn string(text: &LuaString) -> LuaResult<JsValue> {
    match text.to_str() {
        Ok(text) if text.len() <= MAX_TEXT => Ok(JsString::from(&*text).into()),
        _ => bytes(&text.as_bytes()),
    }
}

fn bytes(bytes: &[u8]) -> LuaResult<JsValue> {
    values::byte_array(bytes).map(JsValue::from).map_err(|thrown| LuaError::runtime(message_of(&thrown)))
}
