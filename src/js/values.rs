//! Reads values of the host. Reading may run host code, such as a getter or the handler of a `Proxy`, which may throw. So all functions
//! here return what was thrown.

use js_sys::{Array, ArrayBuffer, Function, JsString, Map, Object, Promise, Reflect, Symbol, Uint8Array};
use luau_runtime::call_error::CallError;
use luau_runtime::error::Cause;
use luau_runtime::limits::{self, Termination};
use mlua::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Throws for a revoked `Proxy`.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = isArray)]
    fn array_is_array(value: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(value: &JsValue) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = keys)]
    fn object_keys(value: &JsValue) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = getOwnPropertyNames)]
    fn own_names(value: &JsValue) -> Result<Array, JsValue>;

    /// Used instead of `Object.hasOwn`, which older browsers lack.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = getOwnPropertyDescriptor)]
    fn own_property(value: &JsValue, key: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = getPrototypeOf)]
    fn prototype_of(value: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = Uint8Array)]
    type Bytes;

    /// Throws for a buffer that was transferred to another thread.
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn new(buffer: &JsValue, offset: u32, length: u32) -> Result<Bytes, JsValue>;

    /// Throws if there is not enough memory.
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn of_length(length: u32) -> Result<Bytes, JsValue>;

    type TextDecoder;

    #[wasm_bindgen(constructor, catch)]
    fn new(label: &str, options: &Object) -> Result<TextDecoder, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn decode(this: &TextDecoder, bytes: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = String)]
    fn text_of(value: &JsValue) -> Result<JsString, JsValue>;

    /// An object whose frequently used members are accessed without decoding their names, unlike with `Reflect`.
    type Known;

    #[wasm_bindgen(method, getter, structural, catch)]
    fn length(this: &Known) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, getter, structural, catch)]
    fn then(this: &Known) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, setter, structural, catch)]
    fn set_value(this: &Known, value: &JsValue) -> Result<(), JsValue>;
}

/// The maximum length of a text that is converted at once, in bytes.
const TEXT_CHUNK_BYTES: usize = 8 << 20;

/// Creates a string in parts, checking the clock in between. JS joins the parts when it reads the string.
///
/// # Errors
/// If the script that runs has no time left.
pub(crate) fn string(text: &str) -> Result<JsString, Termination> {
    if text.len() <= TEXT_CHUNK_BYTES {
        return Ok(JsString::from(text));
    }
    let mut whole = JsString::from("");
    let mut rest = text;
    while !rest.is_empty() {
        limits::check_time_now()?;
        let (part, after) = rest.split_at(rest.floor_char_boundary(TEXT_CHUNK_BYTES));
        whole = whole.concat(&JsString::from(part));
        rest = after;
    }
    Ok(whole)
}

/// Converts bytes to a string like the Encoding Standard, replacing invalid UTF-8 with U+FFFD. Makes no copy in the instance.
///
/// # Errors
/// If the text is too long for the engine, or the script has no time left.
pub(crate) fn text_from_utf8(bytes: &[u8]) -> LuaResult<JsValue> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Ok(string(text)?.into());
    }
    let options = Object::new();
    define(&options, &"ignoreBOM".into(), &true.into(), &descriptor());
    let decoded = TextDecoder::new("utf-8", &options).and_then(|decoder| decoder.decode(bytes));
    decoded.map_err(|thrown| LuaError::runtime(message_of(&thrown)))
}

fn known(value: &JsValue) -> &Known {
    value.unchecked_ref()
}

/// Returns the length of an array, or none if the value is not an array.
///
/// # Errors
/// If a `Proxy` throws. The error is the thrown value.
pub(crate) fn array_length(value: &JsValue) -> Result<Option<f64>, JsValue> {
    if !array_is_array(value)? {
        return Ok(None);
    }
    Ok(known(value).length()?.as_f64())
}

/// Returns an element of an array.
///
/// # Errors
/// If a getter or a `Proxy` throws. The error is the thrown value.
pub(crate) fn element(array: &JsValue, index: u32) -> Result<JsValue, JsValue> {
    Reflect::get_u32(array, index)
}

/// Returns a property of an object.
///
/// # Errors
/// If a getter or a `Proxy` throws. The error is the thrown value.
pub(crate) fn property(object: &JsValue, key: &JsValue) -> Result<JsValue, JsValue> {
    Reflect::get(object, key)
}

/// Returns the names of a plain object's own enumerable properties, or none for other values. A plain object has no prototype, or the
/// prototype of `{}` from any window. Members of namespace objects such as `Math` are not enumerable, so all their names are returned.
///
/// # Errors
/// If a `Proxy` throws. The error is the thrown value.
pub(crate) fn plain_keys(value: &JsValue) -> Result<Option<Array>, JsValue> {
    let prototype = prototype_of(value)?;
    if !prototype.is_null() && !prototype_of(&prototype)?.is_null() {
        return Ok(None);
    }
    let keys = object_keys(value)?;
    if keys.length() == 0 && !own_property(value, &Symbol::to_string_tag())?.is_undefined() {
        own_names(value)
    } else {
        Ok(keys)
    }
    .map(Some)
}

/// Returns the keys and values of a `Map` as an array of pairs, or none if the value is not a `Map`.
///
/// # Errors
/// If an iterator throws. The error is the thrown value.
pub(crate) fn map_entries(value: &JsValue) -> Result<Option<Array>, JsValue> {
    if value.is_instance_of::<Map>() { array_from(value).map(Some) } else { Ok(None) }
}

/// Returns a copy of the bytes of an `ArrayBuffer` or a view, or none if the value is neither.
///
/// # Errors
/// If the buffer was transferred to another thread, a getter throws, or there is not enough memory. The error is the thrown value.
pub(crate) fn bytes(value: &JsValue) -> Result<Option<Vec<u8>>, JsValue> {
    let (buffer, offset) = if ArrayBuffer::is_view(value) {
        (Reflect::get(value, &"buffer".into())?, number(value, "byteOffset")?)
    } else if value.is_instance_of::<ArrayBuffer>() || value.is_instance_of::<js_sys::SharedArrayBuffer>() {
        (value.clone(), 0)
    } else {
        return Ok(None);
    };
    let length = number(value, "byteLength")?;
    if !limits::has_room(length as usize) {
        return Err(limits::refuse_memory().into());
    }
    let bytes = Bytes::new(&buffer, offset, length)?;
    Ok(Some(bytes.unchecked_into::<Uint8Array>().to_vec()))
}

/// Returns a copy of bytes for the host.
///
/// # Errors
/// If the host has not enough memory.
pub(crate) fn byte_array(bytes: &[u8]) -> Result<Uint8Array, JsValue> {
    let length = u32::try_from(bytes.len()).map_err(|_| JsValue::from("too many bytes"))?;
    let array: Uint8Array = Bytes::of_length(length)?.unchecked_into();
    array.copy_from(bytes);
    Ok(array)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "offsets and lengths fit into the memory")]
fn number(object: &JsValue, name: &str) -> Result<u32, JsValue> {
    Ok(Reflect::get(object, &name.into())?.as_f64().unwrap_or(0.0) as u32)
}

/// Returns a promise for a value with a `then` method, or none for any other value.
///
/// # Errors
/// If a getter throws. The error is the thrown value.
pub(crate) fn promise(value: &JsValue) -> Result<Option<Promise>, JsValue> {
    if !value.is_object() || !known(value).then()?.is_function() {
        return Ok(None);
    }
    // A new promise, because the `then` of this one may be anything.
    let promise = Promise::new(&mut |resolve, _| {
        // If this fails, the promise is rejected with the error.
        let _ = resolve.call1(&JsValue::UNDEFINED, value);
    });
    Ok(Some(promise))
}

/// Calls a host function, without a value for `this`.
///
/// # Errors
/// If it throws. The error is the thrown value.
pub(crate) fn call(function: &Function, args: &Array) -> Result<JsValue, JsValue> {
    Reflect::apply(function, &JsValue::UNDEFINED, args)
}

/// Returns the name of a host function, or none if it has no name or a very long one.
#[must_use]
pub(crate) fn function_name(function: &Function) -> Option<String> {
    let name = Reflect::get(function, &"name".into()).ok()?.as_string()?;
    (1..=MAX_NAME_BYTES).contains(&name.len()).then_some(name)
}

/// The maximum length of a function's name, in bytes.
const MAX_NAME_BYTES: usize = 100;

/// Returns the text of any thrown value. For an error that is its message.
#[must_use]
pub(crate) fn message_of(thrown: &JsValue) -> String {
    let message = thrown.is_object().then(|| Reflect::get(thrown, &"message".into()).ok()).flatten();
    message
        .and_then(|message| message.dyn_into::<JsString>().ok())
        .filter(|message| message.length() > 0)
        .or_else(|| text_of(thrown).ok())
        .map_or_else(
            || "something was thrown that cannot be shown".to_owned(),
            |message| {
                let has_room = has_room_for(message.length().into());
                String::from(if has_room { message } else { message.slice(0, MAX_LENGTH_WITHOUT_CHECK) })
            },
        )
}

/// The length of a string, or the number of bytes, for which there is always room: less than the heap's reserve.
const MAX_LENGTH_WITHOUT_CHECK: u32 = 1 << 16;

/// Returns true if there is memory for a string of this length in UTF-16 code units, each of which becomes up to three bytes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths are whole, and too large ones saturate"
)]
pub(crate) fn has_room_for(length: f64) -> bool {
    length <= f64::from(MAX_LENGTH_WITHOUT_CHECK) || limits::has_room((length * 3.0) as usize)
}

/// Converts a JS string. Returns none for any other value.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn text(value: &JsValue) -> LuaResult<Option<String>> {
    let Some(text) = value.dyn_ref::<JsString>() else { return Ok(None) };
    if has_room_for(text.length().into()) { Ok(Some(String::from(text))) } else { Err(limits::refusal()) }
}

/// Defines an own property of `object`; setting `__proto__` would change its prototype instead. `descriptor` is an object that can be
/// reused.
pub(crate) fn define(object: &JsValue, key: &JsValue, value: &JsValue, descriptor: &Object) {
    // Neither fails on objects that were created here.
    let _ = known(descriptor).set_value(value);
    let _ = Reflect::define_property(object.unchecked_ref::<Object>(), key, descriptor);
}

/// Creates a descriptor for [`define`].
#[must_use]
pub(crate) fn descriptor() -> Object {
    let descriptor = Object::new();
    for name in ["writable", "enumerable", "configurable"] {
        let _ = Reflect::set(&descriptor, &name.into(), &true.into());
    }
    descriptor
}

/// Creates the error of a call, caused by a value that the host threw.
pub(crate) fn caused(message: String, thrown: JsValue) -> CallError {
    CallError::caused(message, Cause::new(thrown))
}
