//! JS values on their way to Luau.

use js_sys::{Array, Function, Map, Symbol};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::tables::Tables;
use super::{Converter, page_failure};
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::host::slots::{self, TooManyObjects};
use crate::host::values::{self, message_of};
use crate::raw::{self, Doom};
use crate::value::number;

/// The longest array that fits into a Luau table.
const LONGEST_ARRAY: f64 = 67_108_864.0;

/// The key of the symbol that stands for `json.null`: `jsonNull` in js/value.ts.
const JSON_NULL: &str = "luau-websocket.jsonNull";

/// Why a JS value cannot be a Luau value.
#[derive(Debug)]
pub struct Refusal {
    pub(super) kind: Kind,
    pub(super) message: String,
    /// What a getter or a `Proxy` threw.
    pub(super) thrown: Option<JsValue>,
}

impl Refusal {
    fn new(message: impl Into<String>) -> Self {
        Self { kind: Kind::Runtime, message: message.into(), thrown: None }
    }

    /// What it says of `what` was to be a Luau value.
    pub(super) fn text(&self, what: &str) -> String {
        format!("{what} cannot be a Luau value: {}", self.message)
    }

    /// The failure of the script that was to get the value.
    pub(super) fn into_failure(self, what: &str) -> Failure {
        let message = self.text(what);
        match self.thrown {
            Some(thrown) => page_failure(message, thrown),
            None => Failure::of_kind(self.kind, message),
        }
    }
}

impl From<JsValue> for Refusal {
    fn from(thrown: JsValue) -> Self {
        Self { kind: Kind::Runtime, message: message_of(&thrown), thrown: Some(thrown) }
    }
}

impl From<TooManyObjects> for Refusal {
    fn from(error: TooManyObjects) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Doom> for Refusal {
    fn from(doom: Doom) -> Self {
        Self { kind: doom.kind(), message: doom.to_string(), thrown: None }
    }
}

impl From<LuaError> for Refusal {
    fn from(error: LuaError) -> Self {
        let error = ScriptError::from_lua(&error, "");
        // The first line: what follows is mlua's traceback, and the script has its own.
        let message = error.message.lines().next().unwrap_or_default().to_owned();
        Self { kind: error.kind, message, thrown: None }
    }
}

/// One conversion of JS values, the objects it has met, and which of their tables are still to be filled.
pub(super) struct Inward<'a> {
    converter: &'a Converter,
    lua: &'a Lua,
    /// The place in `tables` of each object. None until there is one.
    places: Option<Map>,
    tables: Tables<'a>,
    /// With the place of each.
    unfilled: Vec<(usize, Origin)>,
}

/// What a table is made from.
enum Origin {
    /// Of so many elements.
    Array(JsValue, u32),
    /// With these keys.
    Object(JsValue, Array),
    /// With these pairs of keys and values.
    Map(Array),
}

impl<'a> Inward<'a> {
    pub(super) fn new(converter: &'a Converter, lua: &'a Lua) -> Self {
        let tables = Tables::new(&converter.0.lua);
        Self { converter, lua, places: None, tables, unfilled: Vec::new() }
    }

    pub(super) fn value(&mut self, value: &JsValue) -> Result<LuaValue, Refusal> {
        raw::check_time()?;
        // What there is most of comes first: each question is a call of JS.
        if let Some(number) = value.as_f64() {
            return Ok(LuaValue::Number(number));
        }
        if let Some(text) = value.as_string() {
            return Ok(raw::string(self.lua, text.as_bytes())?);
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

    fn object(&mut self, value: &JsValue) -> Result<LuaValue, Refusal> {
        if let Some(place) = self.places.as_ref().and_then(|places| places.get(value).as_f64()) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
            return Ok(LuaValue::Table(self.tables.get(place as usize)?));
        }
        let origin = if let Some(length) = values::array_length(value)? {
            if length > LONGEST_ARRAY {
                return Err(Refusal::new(format!("an array of {length} elements is longer than a table can be")));
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
        // The object, and its keys.
        slots::take(2)?;
        let table = self.lua.create_table()?;
        let place = self.tables.push(&table)?;
        #[expect(clippy::cast_precision_loss, reason = "a place in a list")]
        self.places.get_or_insert_with(Map::new).set(value, &(place as f64).into());
        self.unfilled.push((place, origin));
        Ok(LuaValue::Table(table))
    }

    pub(super) fn fill(&mut self) -> Result<(), Refusal> {
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
                        let key = raw::string(self.lua, key.as_string().unwrap_or_default().as_bytes())?;
                        self.set(&table, key, value)?;
                    }
                }
                Origin::Map(entries) => {
                    for entry in entries.iter() {
                        let key = self.value(&values::element(&entry, 0)?)?;
                        if key.is_nil() || number(&key).is_some_and(f64::is_nan) {
                            return Err(Refusal::new("a Map with a key that is undefined, null or NaN"));
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
            // It may be an integer in its box.
            return raw::set_unboxed(self.lua, table, &key, &value);
        }
        table.raw_set(key, value)
    }

    /// Makes the tables read-only. All of them are new, since a table of a script has no stand-in in JS.
    pub(super) fn freeze(&mut self) -> LuaResult<()> {
        for place in 0..self.tables.len() {
            self.tables.get(place)?.set_readonly(true);
        }
        Ok(())
    }
}

fn bigint(lua: &Lua, value: &JsValue) -> Result<LuaValue, Refusal> {
    match i64::try_from(value.clone()) {
        #[expect(clippy::cast_precision_loss, reason = "a safe integer is a number")]
        Ok(whole) if raw::is_safe(whole) => Ok(LuaValue::Number(whole as f64)),
        Ok(whole) => Ok(raw::boxed(lua, whole)?),
        Err(_) => Err(Refusal::new(format!(
            "the bigint {} is not between -2^63 and 2^63 - 1; give it as a string",
            message_of(value)
        ))),
    }
}
