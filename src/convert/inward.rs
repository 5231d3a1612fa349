//! Converts JS values to Luau.

use js_sys::{Array, Function, Map, Symbol};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::Converter;
use super::tables::Tables;
use crate::js::slots::{self, TooManyObjects};
use crate::js::values::{self, caused, message_of};
use luau_runtime::call_error::CallError;
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::integer;
use luau_runtime::limits::{self, Termination};
use luau_runtime::value::number;

/// The maximum length of an array that fits into a Luau table.
const MAX_ARRAY_LENGTH: f64 = 67_108_864.0;

/// The key of the symbol for `json.null`, which is `jsonNull` in js/value.ts.
const JSON_NULL: &str = "luau-websocket.jsonNull";

/// The reason why a JS value cannot be converted to Luau.
#[derive(Debug)]
pub(crate) struct ConversionError {
    pub(super) kind: Kind,
    pub(super) message: String,
    /// The value that a getter or a `Proxy` threw.
    pub(super) thrown: Option<JsValue>,
}

impl ConversionError {
    fn new(message: impl Into<String>) -> Self {
        Self { kind: Kind::Runtime, message: message.into(), thrown: None }
    }

    /// Returns the message of the error, with `what` as the value that could not be converted.
    pub(super) fn text(&self, what: &str) -> String {
        format!("{what} cannot be a Luau value: {}", self.message)
    }

    /// Converts this to an error for the script that should have received the value.
    pub(super) fn into_call_error(self, what: &str) -> CallError {
        let message = self.text(what);
        match self.thrown {
            Some(thrown) => caused(message, thrown),
            None => CallError::of_kind(self.kind, message),
        }
    }
}

impl From<JsValue> for ConversionError {
    fn from(thrown: JsValue) -> Self {
        Self { kind: Kind::Runtime, message: message_of(&thrown), thrown: Some(thrown) }
    }
}

impl From<TooManyObjects> for ConversionError {
    fn from(error: TooManyObjects) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Termination> for ConversionError {
    fn from(termination: Termination) -> Self {
        Self { kind: termination.kind(), message: termination.to_string(), thrown: None }
    }
}

impl From<LuaError> for ConversionError {
    fn from(error: LuaError) -> Self {
        let error = ScriptError::from_lua(&error, "");
        // The other lines are mlua's traceback, and the script has its own.
        let message = error.message.lines().next().unwrap_or_default().to_owned();
        Self { kind: error.kind, message, thrown: None }
    }
}

/// A conversion of JS values, with the objects that it has seen and the tables that it must still fill.
pub(super) struct Inward<'a> {
    converter: &'a Converter,
    lua: &'a Lua,
    /// The index in `tables` for each object. None until there is an object.
    places: Option<Map>,
    tables: Tables<'a>,
    /// The tables that must still be filled, by their indices.
    unfilled: Vec<(usize, Origin)>,
}

/// The source of a table's contents.
enum Origin {
    /// An array with its length.
    Array(JsValue, u32),
    /// An object with its keys.
    Object(JsValue, Array),
    /// The entries of a `Map`, as pairs of keys and values.
    Map(Array),
}

impl<'a> Inward<'a> {
    pub(super) fn new(converter: &'a Converter, lua: &'a Lua) -> Self {
        let tables = Tables::new(&converter.0.lua);
        Self { converter, lua, places: None, tables, unfilled: Vec::new() }
    }

    pub(super) fn value(&mut self, value: &JsValue) -> Result<LuaValue, ConversionError> {
        limits::check_time()?;
        // The most frequent types come first, because each check is a call to JS.
        if let Some(number) = value.as_f64() {
            return Ok(LuaValue::Number(number));
        }
        if let Some(text) = values::text(value)? {
            return Ok(luau_runtime::create_string(self.lua, text.as_bytes())?);
        }
        if value.is_undefined() || value.is_null() {
            return Ok(LuaNil);
        }
        if let Some(boolean) = value.as_bool() {
            return Ok(LuaValue::Boolean(boolean));
        }
        if value.is_bigint() {
            return bigint(self.lua, value);
        }
        if let Some(function) = value.dyn_ref::<Function>() {
            return Ok(self.converter.stand_in_of_function(self.lua, function)?);
        }
        if value.is_symbol() {
            if *value == JsValue::from(Symbol::for_(JSON_NULL)) {
                return Ok(LuaValue::NULL);
            }
            return Ok(self.converter.stand_in_of_object(self.lua, value)?);
        }
        self.object(value)
    }

    fn object(&mut self, value: &JsValue) -> Result<LuaValue, ConversionError> {
        if let Some(place) = self.places.as_ref().and_then(|places| places.get(value).as_f64()) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index in a list")]
            return Ok(LuaValue::Table(self.tables.get(place as usize)?));
        }
        let origin = if let Some(length) = values::array_length(value)? {
            if length > MAX_ARRAY_LENGTH {
                return Err(ConversionError::new(format!(
                    "an array of {length} elements is longer than a table can be"
                )));
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length, and not too large")]
            let length = length as u32;
            Origin::Array(value.clone(), length)
        } else if let Some(keys) = values::plain_keys(value)? {
            Origin::Object(value.clone(), keys)
        } else if let Some(bytes) = values::bytes(value)? {
            return Ok(LuaValue::Buffer(self.lua.create_buffer(bytes)?));
        } else if let Some(entries) = values::map_entries(value)? {
            Origin::Map(entries)
        } else {
            return Ok(self.converter.stand_in_of_object(self.lua, value)?);
        };
        // One slot for the object, and one for its keys.
        slots::take(2)?;
        let table = self.lua.create_table()?;
        let place = self.tables.push(&table)?;
        #[expect(clippy::cast_precision_loss, reason = "an index in a list")]
        self.places.get_or_insert_with(Map::new).set(value, &(place as f64).into());
        self.unfilled.push((place, origin));
        Ok(LuaValue::Table(table))
    }

    pub(super) fn fill(&mut self) -> Result<(), ConversionError> {
        while let Some((place, origin)) = self.unfilled.pop() {
            let table = self.tables.get(place)?;
            match origin {
                Origin::Array(array, length) => {
                    for index in 0..length {
                        let value = self.value(&values::element(&array, index)?)?;
                        if !value.is_nil() {
                            self.set(&table, LuaValue::Number(f64::from(index + 1)), value)?;
                        }
                    }
                }
                Origin::Object(object, keys) => {
                    for key in keys.iter() {
                        let value = self.value(&values::property(&object, &key)?)?;
                        let key =
                            luau_runtime::create_string(self.lua, key.as_string().unwrap_or_default().as_bytes())?;
                        self.set(&table, key, value)?;
                    }
                }
                Origin::Map(entries) => {
                    for entry in entries.iter() {
                        let key = self.value(&values::element(&entry, 0)?)?;
                        if key.is_nil() || number(&key).is_some_and(f64::is_nan) {
                            return Err(ConversionError::new("a Map with a key that is undefined, null or NaN"));
                        }
                        let value = self.value(&values::element(&entry, 1)?)?;
                        self.set(&table, key, value)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn set(&self, table: &LuaTable, key: LuaValue, value: LuaValue) -> LuaResult<()> {
        if key.is_userdata() || value.is_userdata() {
            // It may be an integer in a box.
            return integer::set_unboxed(self.lua, table, &key, &value);
        }
        table.raw_set(key, value)
    }

    /// Makes the tables read-only. All of them are new, since script tables have no stand-in in JS.
    pub(super) fn freeze(&mut self) -> LuaResult<()> {
        for place in 0..self.tables.len() {
            self.tables.get(place)?.set_readonly(true);
        }
        Ok(())
    }
}

fn bigint(lua: &Lua, value: &JsValue) -> Result<LuaValue, ConversionError> {
    match i64::try_from(value.clone()) {
        #[expect(clippy::cast_precision_loss, reason = "a safe integer is a number")]
        Ok(whole) if integer::is_safe(whole) => Ok(LuaValue::Number(whole as f64)),
        Ok(whole) => Ok(integer::boxed(lua, whole)?),
        Err(_) => Err(ConversionError::new(format!(
            "the bigint {} is not between -2^63 and 2^63 - 1; pass it as a string",
            message_of(value)
        ))),
    }
}
