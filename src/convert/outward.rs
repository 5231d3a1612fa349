//! Converts Luau values to JS.

use std::collections::HashMap;
use std::ffi::c_void;

use js_sys::{Array, Map, Object};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use super::tables::Tables;
use crate::js::slots;
use crate::js::values::{self, define, descriptor, message_of};
use luau_runtime::integer;
use luau_runtime::limits;
use luau_runtime::read_buffer;
use luau_runtime::text::MAX_TEXT;
use luau_runtime::value::number;

/// The way to convert strings that are not UTF-8, or longer than a JS string can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvalidText {
    /// Refuses them. A host function that checks a string must not get another type that has methods of the same names, such as `includes`.
    Refuse,
    /// Converts them to a `Uint8Array`, for values that are only displayed.
    Bytes,
}

/// A conversion of Luau values, with the values that it has seen and the tables that it must still convert.
pub(super) struct Outward<'a> {
    converter: &'a Converter,
    invalid_text: InvalidText,
    /// The JS values of tables and buffers, which must keep their identity, and of long strings, to save the host's memory.
    known: HashMap<*const c_void, JsValue>,
    /// The JS strings of the first property names. There are often many records with the same names.
    names: HashMap<*const c_void, JsValue>,
    /// The number of objects created in JS.
    object_count: usize,
    /// The JS objects that must still be filled.
    unfilled: Vec<Target>,
    /// The tables with their contents, in the same order.
    tables: Tables<'a>,
}

/// The JS object for a table.
enum Target {
    /// An array with its length.
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
            object_count: 0,
            unfilled: Vec::new(),
            tables,
        }
    }

    pub(super) fn value(&mut self, value: &LuaValue) -> LuaResult<JsValue> {
        limits::check_time()?;
        if let Some(number) = number(value) {
            return Ok(number.into());
        }
        Ok(match value {
            LuaValue::Nil => JsValue::UNDEFINED,
            LuaValue::Boolean(boolean) => (*boolean).into(),
            LuaValue::String(text) if text.as_bytes().len() < LONG_STRING_BYTES => self.invalid_text.convert(text)?,
            LuaValue::String(text) => {
                let invalid_text = self.invalid_text;
                self.once(value, || invalid_text.convert(text))?
            }
            LuaValue::Buffer(buffer) => {
                let lua = self.lua()?;
                self.once(value, || read_buffer(&lua, buffer, bytes))?
            }
            LuaValue::Vector(vector) => {
                self.count()?;
                Array::of3(&vector.x().into(), &vector.y().into(), &vector.z().into()).into()
            }
            LuaValue::Table(table) => self.table(table)?,
            // `json.null`
            value if *value == LuaValue::NULL => JsValue::NULL,
            LuaValue::UserData(_) => match integer::unboxed(&self.lua()?, value) {
                Some(integer) => integer.into(),
                None => self.converter.handle_of(value)?,
            },
            other => self.converter.handle_of(other)?,
        })
    }

    /// Converts the value of a table field.
    fn value_in(&mut self, table: &LuaTable, key: &LuaValue, value: LuaValue) -> LuaResult<JsValue> {
        let value = integer::boxed_in(&self.lua()?, table, key, value)?;
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

    /// Counts an object that will be created in JS.
    fn count(&mut self) -> LuaResult<()> {
        if self.object_count >= MAX_OBJECTS {
            let message = format!(
                "more than {MAX_OBJECTS} tables, buffers, vectors and long strings cannot be passed to the host at once"
            );
            return Err(LuaError::runtime(message));
        }
        self.object_count += 1;
        Ok(())
    }

    /// Converts the name of a property, which is always a string.
    fn name(&mut self, key: &LuaValue) -> LuaResult<JsValue> {
        if let Some(known) = self.names.get(&key.to_pointer()) {
            return Ok(known.clone());
        }
        let name = self.value(key)?;
        if self.names.len() < MAX_NAMES {
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
        // The second slot is for the target.
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
            limits::check_time()?;
            count += 1;
            is_array = is_array && index_of(&key).is_some_and(is_within);
            is_object = is_object && key.as_string().is_some_and(|key| key.to_str().is_ok());
            if !is_array && !is_object {
                return Ok(Self::Map(Map::new()));
            }
        }
        // An array has as many keys as its length; a table with a hole has fewer.
        Ok(if is_array && count == length {
            Self::Array(Array::new(), length)
        } else if is_object {
            Self::Object(Object::new())
        } else {
            Self::Map(Map::new())
        })
    }
}

/// Returns a key as an array index, from 1, if it is one.
fn index_of(key: &LuaValue) -> Option<u32> {
    let index = number(key)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "compared with the original right after"
    )]
    let whole = index as u32;
    (whole > 0 && f64::from(whole).total_cmp(&index).is_eq()).then_some(whole)
}

#[expect(clippy::cast_precision_loss, reason = "no table is that long")]
fn index_number(index: usize) -> f64 {
    index as f64
}

/// The maximum number of names that are kept. Each takes a slot in the module's table of JS objects.
const MAX_NAMES: usize = 1_000;

/// The maximum number of objects that one conversion may create. Creating that many takes a second or two, and a few hundred megabytes.
const MAX_OBJECTS: usize = 2_000_000;

/// The minimum length of a string that is converted only once, in bytes. For shorter ones that costs more than it saves.
const LONG_STRING_BYTES: usize = 128;

impl InvalidText {
    fn convert(self, text: &LuaString) -> LuaResult<JsValue> {
        let length = text.as_bytes().len();
        limits::note_read(length);
        let refusal = match text.to_str() {
            Ok(text) if length <= MAX_TEXT => return Ok(values::string(&text)?.into()),
            Ok(_) => format!("the string is too long for JavaScript: {length} bytes, but the limit is {MAX_TEXT}"),
            Err(_) => NOT_UTF_8.to_owned(),
        };
        match self {
            Self::Refuse => Err(LuaError::runtime(refusal)),
            Self::Bytes => bytes(&text.as_bytes()),
        }
    }
}

const NOT_UTF_8: &str =
    "a string for JavaScript must be valid UTF-8; to pass bytes, use a buffer: buffer.fromstring(text)";

fn bytes(bytes: &[u8]) -> LuaResult<JsValue> {
    limits::note_read(bytes.len());
    values::byte_array(bytes).map(JsValue::from).map_err(|thrown| LuaError::runtime(message_of(&thrown)))
}
