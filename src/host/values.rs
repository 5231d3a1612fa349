//! Values that the page made. Reading them may run code of the page, such as a getter or the handler of a `Proxy`, and
//! that may throw; so everything here returns what was thrown.

use js_sys::{Array, ArrayBuffer, Function, Map, Object, Promise, Reflect, Symbol, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// Whatever the page threw.
pub type Thrown = JsValue;

#[wasm_bindgen]
extern "C" {
    /// Throws for a `Proxy` that was revoked.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = isArray)]
    fn array_is_array(value: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn array_from(value: &JsValue) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = keys)]
    fn object_keys(value: &JsValue) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = getOwnPropertyNames)]
    fn own_names(value: &JsValue) -> Result<Array, JsValue>;

    /// Not `Object.hasOwn`, which older browsers lack.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = getOwnPropertyDescriptor)]
    fn own_property(value: &JsValue, key: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = getPrototypeOf)]
    fn prototype_of(value: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = Uint8Array)]
    type Bytes;

    /// Throws for a buffer that was handed over to another thread.
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn new(buffer: &JsValue, offset: u32, length: u32) -> Result<Bytes, JsValue>;

    /// Throws when there is no memory for it.
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn of_length(length: u32) -> Result<Bytes, JsValue>;

    type TextDecoder;

    #[wasm_bindgen(constructor, catch)]
    fn new(label: &str, options: &Object) -> Result<TextDecoder, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn decode(this: &TextDecoder, bytes: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = String)]
    fn text_of(value: &JsValue) -> Result<String, JsValue>;

    /// What is read and written so often that no name of a property is to be decoded for it, as `Reflect` would have it.
    type Known;

    #[wasm_bindgen(method, getter, structural, catch)]
    fn length(this: &Known) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, getter, structural, catch)]
    fn then(this: &Known) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, setter, structural, catch)]
    fn set_value(this: &Known, value: &JsValue) -> Result<(), JsValue>;
}

/// Converts to a string as the Encoding Standard does: U+FFFD takes the place of what is not UTF-8. There is no copy in the instance.
///
/// # Errors
/// If the text is too long for the engine: the error that it throws.
pub fn text_from_utf8(bytes: &[u8]) -> Result<JsValue, Thrown> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Ok(text.into());
    }
    let options = Object::new();
    define(&options, &"ignoreBOM".into(), &true.into(), &descriptor());
    TextDecoder::new("utf-8", &options)?.decode(bytes)
}

fn known(value: &JsValue) -> &Known {
    value.unchecked_ref()
}

/// The elements of an array, or none if the value is no array.
///
/// # Errors
/// What a `Proxy` threw.
pub fn array_length(value: &JsValue) -> Result<Option<f64>, JsValue> {
    if !array_is_array(value)? {
        return Ok(None);
    }
    Ok(known(value).length()?.as_f64())
}

/// An element of an array.
///
/// # Errors
/// What a getter or a `Proxy` threw.
pub fn element(array: &JsValue, index: u32) -> Result<JsValue, JsValue> {
    Reflect::get_u32(array, index)
}

/// A property of an object.
///
/// # Errors
/// What a getter or a `Proxy` threw.
pub fn property(object: &JsValue, key: &JsValue) -> Result<JsValue, JsValue> {
    Reflect::get(object, key)
}

/// The names of an object's own enumerable properties, or none if it is anything but a plain object: one whose
/// prototype is that of `{}`, of whichever window, or none at all. The members of a namespace object such as `Math` are not enumerable, so
/// that has all its names.
///
/// # Errors
/// What a `Proxy` threw.
pub fn plain_keys(value: &JsValue) -> Result<Option<Array>, JsValue> {
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

/// The keys and values of a `Map`, as an array of pairs, or none if the value is no `Map`.
///
/// # Errors
/// What an iterator threw.
pub fn map_entries(value: &JsValue) -> Result<Option<Array>, JsValue> {
    if value.is_instance_of::<Map>() { array_from(value).map(Some) } else { Ok(None) }
}

/// A copy of the bytes of an `ArrayBuffer` or of a view on one, or none if the value is neither.
///
/// # Errors
/// When the buffer was handed over to another thread, or what a getter threw.
pub fn bytes(value: &JsValue) -> Result<Option<Vec<u8>>, JsValue> {
    let (buffer, offset) = if ArrayBuffer::is_view(value) {
        (Reflect::get(value, &"buffer".into())?, number(value, "byteOffset")?)
    } else if value.is_instance_of::<ArrayBuffer>() || value.is_instance_of::<js_sys::SharedArrayBuffer>() {
        (value.clone(), 0)
    } else {
        return Ok(None);
    };
    let length = number(value, "byteLength")?;
    let bytes = Bytes::new(&buffer, offset, length)?;
    Ok(Some(bytes.unchecked_into::<Uint8Array>().to_vec()))
}

/// A copy of bytes for the page.
///
/// # Errors
/// When the page has no memory for it.
pub fn byte_array(bytes: &[u8]) -> Result<Uint8Array, JsValue> {
    let length = u32::try_from(bytes.len()).map_err(|_| JsValue::from("too many bytes"))?;
    let array: Uint8Array = Bytes::of_length(length)?.unchecked_into();
    array.copy_from(bytes);
    Ok(array)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "offsets and lengths fit into the memory")]
fn number(object: &JsValue, name: &str) -> Result<u32, JsValue> {
    Ok(Reflect::get(object, &name.into())?.as_f64().unwrap_or(0.0) as u32)
}

/// A promise for what may be one, or like one: whether it has a `then`. None if it has not.
///
/// # Errors
/// What a getter threw.
pub fn promise(value: &JsValue) -> Result<Option<Promise>, JsValue> {
    if !value.is_object() || !known(value).then()?.is_function() {
        return Ok(None);
    }
    // A new promise, since whoever made this one may have put anything into the place of its `then`.
    let promise = Promise::new(&mut |resolve, _| {
        // Whatever goes wrong in here is what the promise is rejected with.
        let _ = resolve.call1(&JsValue::UNDEFINED, value);
    });
    Ok(Some(promise))
}

/// Calls a function of the page, which is not told of anything to hold on to as `this`.
///
/// # Errors
/// What it threw.
pub fn call(function: &Function, args: &Array) -> Result<JsValue, JsValue> {
    Reflect::apply(function, &JsValue::UNDEFINED, args)
}

/// The name of a function of the page, or none if it has none or one that is too long to be read.
#[must_use]
pub fn function_name(function: &Function) -> Option<String> {
    let name = Reflect::get(function, &"name".into()).ok()?.as_string()?;
    (1..=MAX_NAME).contains(&name.len()).then_some(name)
}

/// The longest name of a function, in bytes.
const MAX_NAME: usize = 100;

/// The text of whatever JS threw: of an error its message.
#[must_use]
pub fn message_of(thrown: &JsValue) -> String {
    let message = thrown.is_object().then(|| Reflect::get(thrown, &"message".into()).ok()).flatten();
    message
        .and_then(|message| message.as_string())
        .filter(|message| !message.is_empty())
        .or_else(|| text_of(thrown).ok())
        .unwrap_or_else(|| "something was thrown that cannot be shown".to_owned())
}

/// Gives `object` a property of its own: setting `__proto__` would change its prototype instead. `descriptor` is an object
/// to be used again and again.
pub fn define(object: &JsValue, key: &JsValue, value: &JsValue, descriptor: &Object) {
    // Neither fails on objects that were made here.
    let _ = known(descriptor).set_value(value);
    let _ = Reflect::define_property(object.unchecked_ref::<Object>(), key, descriptor);
}

/// A descriptor for [`define`].
#[must_use]
pub fn descriptor() -> Object {
    let descriptor = Object::new();
    for name in ["writable", "enumerable", "configurable"] {
        let _ = Reflect::set(&descriptor, &name.into(), &true.into());
    }
    descriptor
}
