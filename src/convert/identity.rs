//! Maps values of one side to their counterparts on the other, so that a value that crosses over and comes back is the same.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use js_sys::{Function, Object, Reflect, WeakMap, WeakRef};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use super::functions::LuauFunction;
use super::thrown::{Code, HostError};
use super::{Converter, WeakConverter};
use crate::js::slots;
use luau_runtime::function::{Callee, FunctionBuilder};
use luau_runtime::limits::Charge;
use luau_runtime::value::type_name;

/// A host object. Scripts can hold it and pass it back, but cannot look into it.
struct JsObject(JsValue);

/// A host error. Scripts can also read these members, as they were when the error crossed over.
struct JsError {
    object: JsValue,
    members: HostError,
    _charge: Option<Charge>,
}

/// A reference from a Luau value to its handle in JS. It does not keep the handle alive.
struct HandleRef(WeakRef);

/// The name of the type of host objects in Luau, as `typeof` returns it.
const JS_OBJECT: &str = "JSObject";

/// The name of the type of host errors in Luau, as `typeof` returns it.
const JS_ERROR: &str = "JSError";

/// The values of one VM that have crossed over.
pub(super) struct Identities {
    /// The number of each host object and function that has a stand-in in Luau.
    numbers: WeakMap,
    /// The stand-in for each number. The values are weak.
    stand_ins: LuaTable,
    /// The host function for each Luau function that stands for one. The keys are weak.
    originals: LuaTable,
    /// The number of each handle in JS.
    handles: WeakMap,
    /// The Luau value for the number of each handle.
    values: RefCell<HashMap<u32, LuaValue>>,
    /// A reference to the handle of each Luau value that has one. The keys are weak.
    handle_refs: LuaTable,
    /// The thrown values of the errors that the host holds, by number.
    thrown: RefCell<BTreeMap<u32, LuaValue>>,
    /// The [`Thrown`] of each of these errors.
    thrown_of: WeakMap,
    /// The number of each of these errors.
    thrown_numbers: WeakMap,
    next: Cell<u32>,
    /// True if the runtime has `WeakRef`. Without it, a Luau value gets a new handle each time.
    has_weak_refs: bool,
}

impl Identities {
    pub(super) fn new(lua: &Lua, builder: &FunctionBuilder) -> LuaResult<Self> {
        lua.register_userdata_type::<JsObject>(|registry| registry.add_meta_field("__type", JS_OBJECT))?;
        install_errors(lua, builder)?;
        Ok(Self {
            numbers: WeakMap::new(),
            stand_ins: weak_table(lua, "v")?,
            originals: weak_table(lua, "k")?,
            handles: WeakMap::new(),
            values: RefCell::default(),
            handle_refs: weak_table(lua, "k")?,
            thrown: RefCell::default(),
            thrown_of: WeakMap::new(),
            thrown_numbers: WeakMap::new(),
            next: Cell::new(1),
            has_weak_refs: Reflect::has(&js_sys::global(), &"WeakRef".into()).unwrap_or(false),
        })
    }

    /// Drops a Luau value after JS has dropped its handle, or the error that stands for it.
    pub(super) fn forget(&self, number: u32) {
        let value = self.values.borrow_mut().remove(&number);
        let thrown = self.thrown.borrow_mut().remove(&number);
        drop((value, thrown));
    }

    /// Returns true if JS holds a Luau value.
    pub(super) fn are_held(&self) -> bool {
        !self.values.borrow().is_empty()
    }

    /// Returns the Luau value for the number of a handle.
    pub(super) fn value(&self, number: u32) -> Option<LuaValue> {
        self.values.borrow().get(&number).cloned()
    }

    /// Returns the Luau value for one of our own handles.
    fn value_of(&self, handle: &Object) -> Option<LuaValue> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number was assigned here")]
        let number = self.handles.get(handle).as_f64()? as u32;
        self.value(number)
    }

    /// Returns the stand-in of an object or function, if it already has one.
    fn stand_in(&self, object: &Object) -> LuaResult<Option<LuaValue>> {
        let Some(number) = self.numbers.get(object).as_f64() else { return Ok(None) };
        let value: LuaValue = self.stand_ins.raw_get(number)?;
        Ok(Some(value).filter(|value| !value.is_nil()))
    }

    fn set_stand_in(&self, object: &Object, value: &LuaValue) -> LuaResult<()> {
        let number = self.numbers.get(object).as_f64().unwrap_or_else(|| f64::from(self.next_number()));
        self.numbers.set(object, &number.into());
        self.stand_ins.raw_set(number, value)
    }

    /// Keeps the thrown value of an error for as long as the host keeps the error.
    fn set_thrown(&self, error: &Object, value: LuaValue, converter: WeakConverter) {
        let number = self.next_number();
        let mut thrown = self.thrown.borrow_mut();
        // Dropping a value here runs no script code, since scripts have no finalizers.
        if thrown.len() >= MAX_THROWN {
            thrown.pop_first();
        }
        thrown.insert(number, value);
        self.thrown_numbers.set(error, &number.into());
        self.thrown_of.set(error, &Thrown { number, converter }.into());
    }

    /// Returns the thrown value of an error that the host holds.
    pub(super) fn thrown(&self, error: &Object) -> Option<LuaValue> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number was assigned here")]
        let number = self.thrown_numbers.get(error).as_f64()? as u32;
        self.thrown.borrow().get(&number).cloned()
    }

    fn next_number(&self) -> u32 {
        // It would take years to wrap around.
        self.next.replace(self.next.get().wrapping_add(1))
    }
}

fn weak_table(lua: &Lua, mode: &str) -> LuaResult<LuaTable> {
    let (table, metatable) = (lua.create_table()?, lua.create_table()?);
    metatable.raw_set("__mode", mode)?;
    table.set_metatable(Some(metatable))?;
    Ok(table)
}

fn object_of(data: &LuaAnyUserData) -> Option<JsValue> {
    if let Ok(object) = data.borrow::<JsObject>() {
        return Some(object.0.clone());
    }
    data.borrow::<JsError>().ok().map(|error| error.object.clone())
}

/// Registers the members of host errors in `lua`.
fn install_errors(lua: &Lua, builder: &FunctionBuilder) -> LuaResult<()> {
    let index = builder.indexing(lua, lua.create_table()?, |lua, args| {
        let error = args.userdata::<JsError>(1, JS_ERROR)?;
        let LuaValue::String(name) = args.value(2) else { return Ok(LuaNil) };
        let members = &error.members;
        Ok(match name.to_str().as_deref().unwrap_or_default() {
            "name" => members.name.as_str().into_lua(lua)?,
            "message" => members.message.as_str().into_lua(lua)?,
            "code" => match &members.code {
                Some(Code::Text(text)) => text.as_str().into_lua(lua)?,
                Some(Code::Number(number)) => LuaValue::Number(*number),
                None => LuaNil,
            },
            _ => LuaNil,
        })
    })?;
    let text = builder.sync(lua, Callee::Function("tostring"), |lua, args| {
        let error = args.userdata::<JsError>(1, JS_ERROR)?;
        Ok(lua.create_string(&error.members.message)?)
    })?;
    lua.register_userdata_type::<JsError>(move |registry| {
        registry.add_meta_field("__type", JS_ERROR);
        registry.add_meta_field("__index", index);
        registry.add_meta_field("__tostring", text);
    })
}

impl Converter {
    /// Keeps the thrown value of an error for as long as the host keeps the error.
    pub(super) fn set_thrown(&self, error: &Object, value: LuaValue) {
        self.0.identities.set_thrown(error, value, self.downgrade());
    }

    /// Returns the Luau stand-in for a host object or a symbol.
    pub(super) fn stand_in_of_object(&self, lua: &Lua, value: &JsValue) -> LuaResult<LuaValue> {
        let identities = &self.0.identities;
        let Some(object) = value.is_object().then(|| value.unchecked_ref::<Object>()) else {
            slots::take(1)?;
            return Ok(LuaValue::UserData(lua.create_any_userdata(JsObject(value.clone()))?));
        };
        if let Some(value) = identities.value_of(object) {
            return Ok(value);
        }
        if let Some(value) = identities.stand_in(object)? {
            return Ok(value);
        }
        slots::take(1)?;
        let data = match HostError::of(value) {
            Some(members) => {
                let charge = Charge::new(lua, members.bytes())?;
                lua.create_any_userdata(JsError { object: value.clone(), members, _charge: charge })?
            }
            None => lua.create_any_userdata(JsObject(value.clone()))?,
        };
        let value = LuaValue::UserData(data);
        identities.set_stand_in(object, &value)?;
        Ok(value)
    }

    /// Returns the Luau stand-in for a host function.
    pub(super) fn stand_in_of_function(&self, lua: &Lua, function: &Function) -> LuaResult<LuaValue> {
        let identities = &self.0.identities;
        if let Some(value) = identities.value_of(function) {
            return Ok(value);
        }
        if let Some(value) = identities.stand_in(function)? {
            return Ok(value);
        }
        // One slot for the function that calls it, and one for the userdata that refers to it.
        slots::take(2)?;
        let value = LuaValue::Function(self.luau_function(lua, function)?);
        identities.originals.raw_set(&value, lua.create_any_userdata(JsObject(function.into()))?)?;
        identities.set_stand_in(function, &value)?;
        Ok(value)
    }

    /// Returns the JS handle for a Luau function, userdata or thread.
    pub(super) fn handle_of(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let identities = &self.0.identities;
        let original: LuaValue = match value {
            LuaValue::Function(_) => identities.originals.raw_get(value)?,
            other => other.clone(),
        };
        if let LuaValue::UserData(data) = &original
            && let Some(object) = object_of(data)
        {
            return Ok(object);
        }
        if let LuaValue::UserData(data) = identities.handle_refs.raw_get::<LuaValue>(value)?
            && let Ok(handle) = data.borrow::<HandleRef>()
            && let Some(handle) = handle.0.deref()
        {
            return Ok(handle.into());
        }
        self.new_handle(value)
    }

    fn new_handle(&self, value: &LuaValue) -> LuaResult<JsValue> {
        let identities = &self.0.identities;
        if identities.values.borrow().len() >= MAX_HANDLES {
            return Err(LuaError::runtime(
                "the host holds too many functions, threads and userdata of this VM (at most 100,000)",
            ));
        }
        // For the weak reference, which lives as long as the value.
        slots::take(1)?;
        let number = identities.next_number();
        let handle: Object = match value {
            LuaValue::Function(_) => self.js_function(LuauFunction::new(number, self)).into(),
            other => {
                let value = LuauValue::new(other, number, self);
                let text = value.text();
                self.0.hooks.value(value.into(), &text)
            }
        };
        if identities.has_weak_refs
            && let Some(lua) = self.0.lua.try_upgrade()
        {
            let handle_ref = lua.create_any_userdata(HandleRef(WeakRef::new(&handle)))?;
            identities.handle_refs.raw_set(value, handle_ref)?;
        }
        identities.values.borrow_mut().insert(number, value.clone());
        identities.handles.set(&handle, &number.into());
        Ok(handle.into())
    }
}

/// The maximum number of values that JS may hold. Rust holds each of them too. The limit is a third of Rust's, since JS drops them at any
/// time it likes. See `ffi::references`.
const MAX_HANDLES: usize = 100_000;

/// The maximum number of thrown values that are kept. An error that passes through the host comes back soon.
const MAX_THROWN: usize = 256;

/// A thread or userdata of the VM. JS can hold it and pass it back, but cannot look into it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LuauValue {
    /// The text from `toString`. Created in advance, since this value may outlive its VM.
    text: String,
    number: u32,
    converter: WeakConverter,
}

#[wasm_bindgen]
impl LuauValue {
    /// Returns the type and the identity, like Luau's `tostring` for a value without `__tostring`.
    #[wasm_bindgen(js_name = toString)]
    #[must_use]
    pub fn text(&self) -> String {
        self.text.clone()
    }
}

impl LuauValue {
    fn new(value: &LuaValue, number: u32, converter: &Converter) -> Self {
        let text = format!("{}: {:p}", type_name(value), value.to_pointer());
        Self { text, number, converter: converter.downgrade() }
    }
}

/// A guard that releases the thrown value of an error. JS collects it along with the error.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Thrown {
    number: u32,
    converter: WeakConverter,
}

impl Drop for Thrown {
    fn drop(&mut self) {
        self.converter.release(self.number);
    }
}

impl Drop for LuauValue {
    fn drop(&mut self) {
        self.converter.release(self.number);
    }
}
