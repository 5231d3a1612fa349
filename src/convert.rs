//! Luau values and errors as JS values.

use std::collections::HashMap;
use std::ffi::c_void;

use js_sys::{Array, Error, JsString, Map, Object, Reflect, Uint8Array};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use crate::error::{Frame, ScriptError};
use crate::value::{number, type_name};

/// A value of the VM that JS can hold and cannot look into: a function, a thread, a userdata.
///
/// It may outlive its VM, so what it says of itself is found out when it is made.
#[wasm_bindgen(js_name = LuauValue)]
#[derive(Clone, Debug)]
pub struct Opaque(String);

#[wasm_bindgen(js_class = LuauValue)]
impl Opaque {
    /// Its type and its identity, as Luau's `tostring` gives them to a value without a `__tostring`.
    #[wasm_bindgen(js_name = toString)]
    #[must_use]
    pub fn text(&self) -> String {
        self.0.clone()
    }
}

impl From<&LuaValue> for Opaque {
    fn from(value: &LuaValue) -> Self {
        Self(format!("{}: {:p}", type_name(value), value.to_pointer()))
    }
}

/// Deeper tables are given up: the conversion recurses, and the stack is not endless.
const DEEPEST: usize = 200;

/// The JS value for a Luau value.
///
/// nil is `undefined`; a string is a string, or a `Uint8Array` when it is not UTF-8; a buffer is a `Uint8Array` with a
/// copy; a table is an array when its keys are 1 to n, a plain object when all are strings, and otherwise a `Map`.
/// Tables that stand in several places, or in themselves, stay so.
#[must_use]
pub fn to_js(value: &LuaValue) -> JsValue {
    Outward::default().value(value, 0)
}

/// The JS array for several Luau values.
#[must_use]
pub fn to_js_array(values: &LuaMultiValue) -> Array {
    let mut outward = Outward::default();
    values.iter().map(|value| outward.value(value, 0)).collect()
}

/// One conversion, and the tables it has met.
#[derive(Default)]
struct Outward {
    tables: HashMap<*const c_void, JsValue>,
}

impl Outward {
    fn value(&mut self, value: &LuaValue, depth: usize) -> JsValue {
        if let Some(number) = number(value) {
            return number.into();
        }
        match value {
            LuaValue::Nil => JsValue::UNDEFINED,
            LuaValue::Boolean(boolean) => (*boolean).into(),
            LuaValue::String(text) => string(text),
            LuaValue::Buffer(buffer) => Uint8Array::from(buffer.to_vec().as_slice()).into(),
            LuaValue::Vector(vector) => Array::of3(&vector.x().into(), &vector.y().into(), &vector.z().into()).into(),
            LuaValue::Table(table) if depth < DEEPEST => self.table(table, depth),
            other => Opaque::from(other).into(),
        }
    }

    fn table(&mut self, table: &LuaTable, depth: usize) -> JsValue {
        let id = table.to_pointer();
        if let Some(known) = self.tables.get(&id) {
            return known.clone();
        }
        let pairs: Vec<(LuaValue, LuaValue)> = table.pairs().filter_map(Result::ok).collect();
        let result: JsValue = match Shape::of(table, &pairs) {
            Shape::Array => Array::new().into(),
            Shape::Object => Object::new().into(),
            Shape::Map => Map::new().into(),
        };
        // Known before its contents are converted, since they may contain it.
        self.tables.insert(id, result.clone());
        for (key, value) in pairs {
            let value = self.value(&value, depth + 1);
            if let Some(array) = result.dyn_ref::<Array>() {
                // `next` goes through 1 to n in order for the part that is an array, and puts the rest after it; set by
                // index, the order does not matter.
                array.set(index_of(&key).map_or(0, |index| index - 1), value);
            } else if let Some(map) = result.dyn_ref::<Map>() {
                map.set(&self.value(&key, depth + 1), &value);
            } else {
                define(&result, &self.value(&key, depth + 1), &value);
            }
        }
        result
    }
}

/// What a table is in JS.
enum Shape {
    Array,
    Object,
    Map,
}

impl Shape {
    fn of(table: &LuaTable, pairs: &[(LuaValue, LuaValue)]) -> Self {
        // As many keys as the length, and none beyond it: a table with a hole has fewer.
        let length = table.raw_len();
        let is_within = |index: u32| usize::try_from(index).is_ok_and(|index| index <= length);
        if pairs.len() == length && pairs.iter().all(|(key, _)| index_of(key).is_some_and(is_within)) {
            Self::Array
        } else if pairs.iter().all(|(key, _)| key.as_string().is_some_and(|key| key.to_str().is_ok())) {
            Self::Object
        } else {
            Self::Map
        }
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

fn string(text: &LuaString) -> JsValue {
    match text.to_str() {
        Ok(text) => JsString::from(&*text).into(),
        Err(_) => Uint8Array::from(text.as_bytes().as_ref()).into(),
    }
}

/// Gives `object` a property of its own: setting `__proto__` would change its prototype instead.
fn define(object: &JsValue, key: &JsValue, value: &JsValue) {
    let descriptor = Object::new();
    for (name, value) in
        [("value", value), ("writable", &true.into()), ("enumerable", &true.into()), ("configurable", &true.into())]
    {
        let _ = Reflect::set(&descriptor, &name.into(), value);
    }
    let _ = Reflect::define_property(object.unchecked_ref::<Object>(), key, &descriptor);
}

/// The JS `Error` for an error of a script: named `LuauError`, with the members that the package documents.
#[must_use]
pub fn error_to_js(error: &ScriptError) -> JsValue {
    let object = Error::new(&error.message);
    object.set_name("LuauError");
    let first = error.frames.first();
    let frames: Array = error.frames.iter().map(frame_to_js).collect();
    for (name, value) in [
        ("kind", error.kind.name().into()),
        ("chunkName", first.map_or(JsValue::UNDEFINED, |frame| (&frame.chunk_name).into())),
        ("line", first.map_or(JsValue::UNDEFINED, |frame| frame.line.into())),
        ("frames", frames.into()),
        ("traceback", error.traceback().into()),
        ("value", to_js(&error.value)),
    ] {
        define(&object, &name.into(), &value);
    }
    object.into()
}

fn frame_to_js(frame: &Frame) -> JsValue {
    let object = Object::new();
    for (name, value) in [
        ("chunkName", (&frame.chunk_name).into()),
        ("line", frame.line.into()),
        ("name", frame.name.as_ref().map_or(JsValue::UNDEFINED, Into::into)),
    ] {
        define(&object, &name.into(), &value);
    }
    object.into()
}
