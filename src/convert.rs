//! JS values as Luau values, and Luau values and errors as JS values.
//!
//! | JS | Luau | back in JS |
//! |---|---|---|
//! | `undefined`, `null` | nil | `undefined` |
//! | boolean, number, a safe `bigint` | boolean, number | the same, of a `bigint` the number |
//! | string | string | string; `Uint8Array` when it is not UTF-8 |
//! | `ArrayBuffer`, view | buffer, a copy | `Uint8Array`, a copy |
//! | array, plain object, `Map` | table | array when the keys are 1 to n, plain object when all are strings, otherwise `Map` |
//! | function | function | the same function |
//! | any other object | userdata | the same object |
//! | a function that returns promises | function | the same function |
//! | `LuauValue` | thread, userdata of ours | the same `LuauValue` |
//!
//! Tables, arrays, objects and maps that stand in several places, or in themselves, stay so, at any depth: both
//! directions go through a list of what is still to be filled, not down a stack.

mod functions;
mod identity;
mod shown;
mod tables;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::rc::{Rc, Weak};

use js_sys::{Array, Function, JsString, Map, Object, Promise};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use self::identity::Identities;
pub use self::shown::Shown;
use self::tables::Tables;
use crate::bind::Binder;
use crate::error::{Frame, Kind, ScriptError};
use crate::failure::Failure;
use crate::host::hooks::Hooks;
use crate::host::values::{self, LONGEST_TEXT, define, descriptor, message_of};
use crate::origin::Cause;
use crate::scheduler::Scheduler;
use crate::value::number;

/// Converts the values of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Converter(Rc<Inner>);

struct Inner {
    lua: WeakLua,
    scheduler: Scheduler,
    binder: Binder,
    hooks: Hooks,
    identities: Identities,
    /// Runs a Luau function for the page.
    runner: OnceCell<Box<Runner>>,
}

type Runner = dyn Fn(LuaFunction, &Array) -> Promise;

/// The longest array that fits into a Luau table.
const LONGEST_ARRAY: f64 = 67_108_864.0;

/// The largest whole number up to which all whole numbers are numbers of JS and of Luau: 2^53 - 1.
const LARGEST_SAFE: i64 = 9_007_199_254_740_991;

/// Why a JS value cannot be a Luau value.
#[derive(Debug)]
pub struct Refusal {
    kind: Kind,
    message: String,
    /// What a getter or a `Proxy` threw.
    thrown: Option<JsValue>,
}

impl Refusal {
    fn new(message: impl Into<String>) -> Self {
        Self { kind: Kind::Runtime, message: message.into(), thrown: None }
    }
}

impl From<JsValue> for Refusal {
    fn from(thrown: JsValue) -> Self {
        Self { kind: Kind::Runtime, message: message_of(&thrown), thrown: Some(thrown) }
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

impl Converter {
    /// A converter for `lua`.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(lua: &Lua, scheduler: &Scheduler, binder: &Binder, hooks: Hooks) -> LuaResult<Self> {
        Ok(Self(Rc::new(Inner {
            lua: lua.weak(),
            scheduler: scheduler.clone(),
            binder: binder.clone(),
            hooks,
            identities: Identities::new(lua)?,
            runner: OnceCell::new(),
        })))
    }

    /// Sets how Luau functions are run for the page.
    pub fn set_runner(&self, runner: impl Fn(LuaFunction, &Array) -> Promise + 'static) {
        // Set once, by the VM.
        let _ = self.0.runner.set(Box::new(runner));
    }

    /// Whether JS holds a function or another value of the VM.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.0.identities.are_held()
    }

    /// A handle that does not keep the converter alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakConverter {
        WeakConverter(Rc::downgrade(&self.0))
    }

    /// The JS value for a Luau value.
    ///
    /// # Errors
    /// When there is no memory for a handle of a function or a userdata.
    pub fn to_js(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let mut outward = Outward::new(self);
        let result = outward.value(value)?;
        outward.fill()?;
        Ok(result)
    }

    /// The JS array for several Luau values.
    ///
    /// # Errors
    /// When there is no memory for a handle of a function or a userdata.
    pub fn to_js_array<'a>(&self, values: impl IntoIterator<Item = &'a LuaValue>) -> LuaResult<Array> {
        let mut outward = Outward::new(self);
        let result = values.into_iter().map(|value| outward.value(value)).collect::<LuaResult<Array>>()?;
        outward.fill()?;
        Ok(result)
    }

    /// The Luau value for a JS value.
    ///
    /// # Errors
    /// When a getter or a `Proxy` throws, for a `bigint` that is not safe, for an array that is too long, a `Map` with a
    /// key that no table can have, and when there is no memory.
    pub fn to_luau(&self, lua: &Lua, value: &JsValue) -> Result<LuaValue, Refusal> {
        let mut inward = Inward::new(self, lua);
        let result = inward.value(value)?;
        inward.fill()?;
        Ok(result)
    }

    /// The Luau values for the elements of a JS array.
    ///
    /// # Errors
    /// As [`to_luau`](Self::to_luau).
    pub fn to_luau_values(&self, lua: &Lua, values: &Array) -> Result<LuaMultiValue, Refusal> {
        let mut inward = Inward::new(self, lua);
        let result = values.iter().map(|value| inward.value(&value)).collect::<Result<_, _>>()?;
        inward.fill()?;
        Ok(result)
    }

    /// The failure for something that the page threw. Should it get out of the script, the page finds what was thrown as
    /// the cause of the error.
    #[must_use]
    pub fn failure(&self, message: String, thrown: JsValue) -> Failure {
        Failure::caused(message, Cause::new(thrown))
    }

    /// That the script that runs is about to get a failure, by other means than the [`Binder`]'s.
    pub fn note_raised(&self, failure: &Failure) {
        self.0.scheduler.note_raised(failure);
    }

    fn refusal(&self, what: &str, refusal: Refusal) -> Failure {
        let message = format!("{what} cannot be a Luau value: {}", refusal.message);
        match refusal.thrown {
            Some(thrown) => self.failure(message, thrown),
            None => Failure::new(message),
        }
    }

    /// The JS error for a value of the page that cannot be a Luau value.
    #[must_use]
    pub fn refusal_to_js(&self, what: &str, refusal: &Refusal) -> JsValue {
        let message = format!("{what} cannot be a Luau value: {}", refusal.message);
        self.error_with_cause(&ScriptError::plain(refusal.kind, &message), refusal.thrown.as_ref())
    }

    /// The JS error for an error of a script: a `LuauError`, with the members that the package documents.
    #[must_use]
    pub fn error_to_js(&self, error: &ScriptError) -> JsValue {
        self.error_with_cause(error, error.cause.as_ref().and_then(Cause::get))
    }

    /// The JS error for an error of a script that has a cause on the page's side.
    #[must_use]
    pub fn error_with_cause(&self, error: &ScriptError, cause: Option<&JsValue>) -> JsValue {
        // A value that cannot be shown for want of memory must not hide the error.
        let value = self.to_js(&error.value).unwrap_or_default();
        self.0.hooks.error(&error.message, &members_of(error, &value, cause))
    }
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converter").finish_non_exhaustive()
    }
}

/// A handle to a [`Converter`] that does not keep it alive: for what the VM itself holds.
#[derive(Clone)]
pub struct WeakConverter(Weak<Inner>);

impl WeakConverter {
    /// The converter, while there is one.
    #[must_use]
    pub fn upgrade(&self) -> Option<Converter> {
        self.0.upgrade().map(Converter)
    }
}

impl WeakConverter {
    /// JS let go of a handle. It may have been the last thing that kept the VM from its end, which comes with a turn.
    fn release(&self, number: u32) {
        if let Some(converter) = self.upgrade() {
            converter.0.identities.forget(number);
            if !converter.is_held() {
                converter.0.scheduler.event(|| {});
            }
        }
    }
}

impl fmt::Debug for WeakConverter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakConverter").finish_non_exhaustive()
    }
}

/// The JS error for an error that came up before there was a VM.
#[must_use]
pub fn early_error_to_js(hooks: &Hooks, error: &ScriptError) -> JsValue {
    hooks.error(&error.message, &members_of(error, &JsValue::UNDEFINED, None))
}

fn members_of(error: &ScriptError, value: &JsValue, cause: Option<&JsValue>) -> Object {
    let first = error.frames.first();
    let frames: Array = error.frames.iter().map(frame_to_js).collect();
    let members = object([
        ("kind", error.kind.name().into()),
        ("chunkName", first.map_or(JsValue::UNDEFINED, |frame| (&frame.chunk_name).into())),
        ("line", first.map_or(JsValue::UNDEFINED, |frame| frame.line.into())),
        ("frames", frames.into()),
        ("traceback", error.traceback().into()),
        ("value", value.clone()),
    ]);
    if let Some(cause) = cause {
        define(&members, &"cause".into(), cause, &descriptor());
    }
    members
}

fn frame_to_js(frame: &Frame) -> JsValue {
    object([
        ("chunkName", (&frame.chunk_name).into()),
        ("line", frame.line.into()),
        ("name", frame.name.as_ref().map_or(JsValue::UNDEFINED, Into::into)),
    ])
    .into()
}

fn object<const N: usize>(members: [(&str, JsValue); N]) -> Object {
    let (object, descriptor) = (Object::new(), descriptor());
    for (name, value) in members {
        define(&object, &name.into(), &value, &descriptor);
    }
    object
}

/// One conversion of Luau values, what it has met, and which of the tables are still to be filled.
struct Outward<'a> {
    converter: &'a Converter,
    /// What has come once, and comes again as the same: tables and buffers, and long strings, for the sake of the page's memory.
    known: HashMap<*const c_void, JsValue>,
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
    fn new(converter: &'a Converter) -> Self {
        let tables = Tables::new(&converter.0.lua);
        Self { converter, known: HashMap::new(), unfilled: Vec::new(), tables }
    }

    fn value(&mut self, value: &LuaValue) -> LuaResult<JsValue> {
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

    fn table(&mut self, table: &LuaTable) -> LuaResult<JsValue> {
        let id = table.to_pointer();
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
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

    fn fill(&mut self) -> LuaResult<()> {
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
                        define(&object, &self.value(&key)?, &self.value(&value)?, &descriptor);
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

/// From how many bytes on a string is converted once only: for a shorter one that costs more than it saves.
const LONG: usize = 128;

fn string(text: &LuaString) -> LuaResult<JsValue> {
    match text.to_str() {
        Ok(text) if text.len() <= LONGEST_TEXT => Ok(JsString::from(&*text).into()),
        _ => bytes(&text.as_bytes()),
    }
}

fn bytes(bytes: &[u8]) -> LuaResult<JsValue> {
    values::byte_array(bytes).map(JsValue::from).map_err(|thrown| LuaError::runtime(message_of(&thrown)))
}

/// One conversion of JS values, the objects it has met, and which of their tables are still to be filled.
struct Inward<'a> {
    converter: &'a Converter,
    lua: &'a Lua,
    /// The place in `tables` of each object.
    places: Map,
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
    fn new(converter: &'a Converter, lua: &'a Lua) -> Self {
        let tables = Tables::new(&converter.0.lua);
        Self { converter, lua, places: Map::new(), tables, unfilled: Vec::new() }
    }

    fn value(&mut self, value: &JsValue) -> Result<LuaValue, Refusal> {
        if value.is_undefined() || value.is_null() {
            return Ok(LuaNil);
        }
        if let Some(number) = value.as_f64() {
            return Ok(LuaValue::Number(number));
        }
        if let Some(text) = value.as_string() {
            return Ok(LuaValue::String(self.lua.create_string(text)?));
        }
        if let Some(boolean) = value.as_bool() {
            return Ok(LuaValue::Boolean(boolean));
        }
        if value.is_bigint() {
            return bigint(value);
        }
        if let Some(function) = value.dyn_ref::<Function>() {
            return Ok(self.converter.stand_in_of_function(self.lua, function)?);
        }
        if value.is_symbol() {
            return Ok(self.converter.stand_in_of_object(self.lua, value)?);
        }
        self.object(value)
    }

    fn object(&mut self, value: &JsValue) -> Result<LuaValue, Refusal> {
        if let Some(place) = self.places.get(value).as_f64() {
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
        } else if let Some(bytes) = values::bytes(value)? {
            return Ok(LuaValue::Buffer(self.lua.create_buffer(bytes)?));
        } else if let Some(entries) = values::map_entries(value)? {
            Origin::Map(entries)
        } else if let Some(keys) = values::plain_keys(value)? {
            Origin::Object(value.clone(), keys)
        } else {
            return Ok(self.converter.stand_in_of_object(self.lua, value)?);
        };
        let table = self.lua.create_table()?;
        let place = self.tables.push(&table)?;
        #[expect(clippy::cast_precision_loss, reason = "a place in a list")]
        self.places.set(value, &(place as f64).into());
        self.unfilled.push((place, origin));
        Ok(LuaValue::Table(table))
    }

    fn fill(&mut self) -> Result<(), Refusal> {
        while let Some((place, origin)) = self.unfilled.pop() {
            let table = self.tables.get(place)?;
            match origin {
                Origin::Array(array, length) => {
                    for index in 0..length {
                        let value = self.value(&values::element(&array, index)?)?;
                        if !value.is_nil() {
                            table.raw_set(index + 1, value)?;
                        }
                    }
                }
                Origin::Object(object, keys) => {
                    for key in keys.iter() {
                        let value = self.value(&values::property(&object, &key)?)?;
                        table.raw_set(self.lua.create_string(key.as_string().unwrap_or_default())?, value)?;
                    }
                }
                Origin::Map(entries) => {
                    for entry in entries.iter() {
                        let key = self.value(&values::element(&entry, 0)?)?;
                        if key.is_nil() || number(&key).is_some_and(f64::is_nan) {
                            return Err(Refusal::new("a Map with a key that is undefined, null or NaN"));
                        }
                        let value = self.value(&values::element(&entry, 1)?)?;
                        table.raw_set(key, value)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn bigint(value: &JsValue) -> Result<LuaValue, Refusal> {
    match i64::try_from(value.clone()) {
        #[expect(clippy::cast_precision_loss, reason = "a safe integer is a number")]
        Ok(whole) if (-LARGEST_SAFE..=LARGEST_SAFE).contains(&whole) => Ok(LuaValue::Number(whole as f64)),
        _ => Err(Refusal::new(format!(
            "the bigint {} is not between -(2^53 - 1) and 2^53 - 1; give it as a string",
            message_of(value)
        ))),
    }
}
