//! `json`: any bytes as text, texts that are nearly JSON, and any values.
//!
//! What is right, `serde_json` tells by its own type of values, which shares its grammar with ours, and neither the way to Luau
//! nor the way back.

use arbitrary::{Result, Unstructured};
use mlua::prelude::*;
use serde_json::{Map, Number, Value};

use crate::world::World;

/// Runs one case.
pub fn run(input: &[u8]) {
    thread_local! {
        // Nothing of a case is left for the next one.
        static VM: Vm = Vm::new();
    }
    let mut bytes = Unstructured::new(input);
    VM.with(|vm| {
        let kind = bytes.int_in_range(0..=3u8).unwrap_or_default();
        match kind {
            0 => vm.check_text(bytes.take_rest()),
            1 | 2 => {
                let mut text = Vec::new();
                // The end of the input is the end of the text, wherever it is.
                let _ = write_text(&mut bytes, &mut text, 0);
                vm.check_text(&text);
            }
            _ => {
                let mut above = Vec::new();
                if let Ok((value, said)) = vm.value(&mut bytes, &mut above) {
                    vm.check_value(&value, said);
                }
            }
        }
    });
}

struct Vm {
    world: World,
    encode: LuaFunction,
    decode: LuaFunction,
    object: LuaFunction,
}

impl Vm {
    fn new() -> Self {
        let world = World::new();
        let json: LuaTable = world.lua.globals().get("json").unwrap();
        let [encode, decode, object] = ["encode", "decode", "object"].map(|name| json.get(name).unwrap());
        Self { world, encode, decode, object }
    }

    fn check_text(&self, text: &[u8]) {
        let expected = serde_json::from_slice::<Value>(text);
        let decoded = self.decode.call::<LuaValue>(self.world.lua.create_string(text).unwrap());
        match (decoded, expected) {
            (Ok(value), Ok(expected)) => self.check_value(&value, Some(as_luau_has_it(expected))),
            (Err(error), Err(_)) => check_error(&error, "cannot decode: "),
            (decoded, expected) => {
                panic!("{:?}: {decoded:?}, and serde_json {expected:?}", String::from_utf8_lossy(text))
            }
        }
    }

    /// `said` is what the text has to say; none if there is no text for the value.
    fn check_value(&self, value: &LuaValue, said: Option<Value>) {
        let encoded = self.encode.call::<LuaString>(value);
        match (encoded, said) {
            (Ok(text), Some(said)) => {
                let text = text.as_bytes();
                let again: Value = serde_json::from_slice(&text).expect("what was encoded is JSON");
                assert_eq!(as_luau_has_it(again), said);
                let decoded = self.decode.call::<LuaValue>(self.world.lua.create_string(&text).unwrap()).unwrap();
                let again = self.encode.call::<LuaString>(decoded).unwrap();
                assert_eq!(again.as_bytes(), text, "the same value gives the same text");
            }
            (Err(error), None) => check_error(&error, "cannot encode: "),
            (encoded, said) => panic!("{value:?}: {encoded:?}, and not {said:?}"),
        }
    }

    /// A value, and what its text says; none if it has none. `above` are the tables around it.
    fn value(&self, bytes: &mut Unstructured, above: &mut Vec<LuaTable>) -> Result<(LuaValue, Option<Value>)> {
        let lua = &self.world.lua;
        let kind = bytes.int_in_range(0..=if above.len() < 6 { 15 } else { 7u8 })?;
        Ok(match kind {
            0 => (LuaValue::NULL, Some(Value::Null)),
            1 => {
                let boolean = bytes.arbitrary::<bool>()?;
                (LuaValue::Boolean(boolean), Some(Value::Bool(boolean)))
            }
            2 => (LuaValue::Number(f64::from(bytes.arbitrary::<i16>()?)), None).with_number(),
            3 => (LuaValue::Number(bytes.arbitrary::<f64>()?), None).with_number(),
            4 => (LuaValue::Number(*bytes.choose(&NUMBERS)?), None).with_number(),
            5 => {
                let text: String = bytes.arbitrary()?;
                (LuaValue::String(lua.create_string(&text).unwrap()), Some(Value::String(text)))
            }
            6 => {
                let text: Vec<u8> = bytes.arbitrary()?;
                let said = String::from_utf8(text.clone()).ok().map(Value::String);
                (LuaValue::String(lua.create_string(text).unwrap()), said)
            }
            7 => (self.unsayable(bytes, above)?, None),
            8..=11 => self.array(bytes, above)?,
            _ => self.object(bytes, above)?,
        })
    }

    fn unsayable(&self, bytes: &mut Unstructured, above: &[LuaTable]) -> Result<LuaValue> {
        let lua = &self.world.lua;
        Ok(match bytes.int_in_range(0..=5u8)? {
            0 => LuaValue::Function(self.encode.clone()),
            1 => LuaValue::Thread(lua.current_thread()),
            2 => LuaValue::Buffer(lua.create_buffer([1, 2, 3]).unwrap()),
            3 => LuaValue::Vector(LuaVector::new(1.0, 2.0, 3.0)),
            4 if !above.is_empty() => LuaValue::Table(bytes.choose(above)?.clone()),
            _ => LuaValue::Number(f64::NAN),
        })
    }

    fn array(&self, bytes: &mut Unstructured, above: &mut Vec<LuaTable>) -> Result<(LuaValue, Option<Value>)> {
        let table = self.world.lua.create_table().unwrap();
        above.push(table.clone());
        let mut said = Some(Vec::new());
        for index in 1..=bytes.int_in_range(0..=8)? {
            let (value, says) = self.value(bytes, above)?;
            table.raw_set(index, value).unwrap();
            said = said.zip(says).map(|(mut list, says)| {
                list.push(says);
                list
            });
        }
        above.pop();
        if bytes.ratio(1, 16)? {
            // A key that no array has, and that makes no object of it either.
            let key = *bytes.choose(&[-1.0, 0.5, 100.0, f64::INFINITY, 9e15])?;
            table.raw_set(key, 1).unwrap();
            said = None;
        }
        Ok((LuaValue::Table(table), said.map(Value::Array)))
    }

    fn object(&self, bytes: &mut Unstructured, above: &mut Vec<LuaTable>) -> Result<(LuaValue, Option<Value>)> {
        let table = self.world.lua.create_table().unwrap();
        above.push(table.clone());
        let mut said = Some(Map::new());
        let mut is_empty = true;
        for _ in 0..bytes.int_in_range(0..=6)? {
            let key: String = bytes.arbitrary()?;
            if table.raw_get::<LuaValue>(key.as_str()).unwrap() != LuaNil {
                continue;
            }
            let (value, says) = self.value(bytes, above)?;
            table.raw_set(key.as_str(), value).unwrap();
            is_empty = false;
            said = said.zip(says).map(|(mut object, says)| {
                object.insert(key, says);
                object
            });
        }
        above.pop();
        if bytes.ratio(1, 16)? {
            let key = match bytes.int_in_range(0..=2u8)? {
                0 => LuaValue::Boolean(true),
                1 => LuaValue::String(self.world.lua.create_string(b"\xff").unwrap()),
                // Beside nothing else it makes an array.
                _ if is_empty => LuaValue::Table(table.clone()),
                _ => LuaValue::Number(1.0),
            };
            table.raw_set(key, 1).unwrap();
            return Ok((LuaValue::Table(table), None));
        }
        let is_marked = bytes.ratio(1, 2)?;
        if is_marked {
            self.object.call::<()>(&table).unwrap();
        }
        let said = if is_empty && !is_marked { Some(Value::Array(Vec::new())) } else { said.map(Value::Object) };
        Ok((LuaValue::Table(table), said))
    }
}

/// Numbers at the edges of what is whole, exact, or a number at all.
const NUMBERS: [f64; 12] = [
    -0.0,
    1e15,
    9_007_199_254_740_991.0,
    9_007_199_254_740_992.0,
    9_007_199_254_740_994.0,
    -9_223_372_036_854_775_808.0,
    18_446_744_073_709_551_616.0,
    f64::MAX,
    f64::MIN_POSITIVE,
    5e-324,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

trait WithNumber {
    fn with_number(self) -> Self;
}

impl WithNumber for (LuaValue, Option<Value>) {
    /// What the text of a number says: none for one that JSON has not.
    fn with_number(self) -> Self {
        let said = self.0.as_f64().and_then(Number::from_f64).map(Value::Number).map(as_luau_has_it);
        (self.0, said)
    }
}

/// Failures are strings of ours, whatever went wrong.
fn check_error(error: &LuaError, begins: &str) {
    let LuaError::RuntimeError(message) = error else { panic!("no plain error: {error:?}") };
    assert!(message.starts_with(begins), "{message}");
}

/// Numbers are doubles, and the zero has no sign.
fn as_luau_has_it(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            Value::Number(Number::from_f64(if number == 0.0 { 0.0 } else { number }).unwrap())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(as_luau_has_it).collect()),
        Value::Object(object) => {
            Value::Object(object.into_iter().map(|(name, value)| (name, as_luau_has_it(value))).collect())
        }
        other => other,
    }
}

/// A text by the grammar of JSON, with a piece now and then that does not belong there.
fn write_text(bytes: &mut Unstructured, text: &mut Vec<u8>, depth: usize) -> Result<()> {
    if bytes.ratio(1, 40)? {
        let piece: &[u8] = bytes.choose(&PIECES)?.as_bytes();
        text.extend_from_slice(piece);
    }
    if bytes.ratio(1, 60)? {
        text.push(bytes.arbitrary()?);
    }
    match bytes.int_in_range(0..=if depth < 200 { 11 } else { 6u8 })? {
        0 => text.extend_from_slice(bytes.choose(&["null", "true", "false"])?.as_bytes()),
        1 => text.extend_from_slice(bytes.arbitrary::<i32>()?.to_string().as_bytes()),
        2 => text.extend_from_slice(format!("{:?}", bytes.arbitrary::<f64>()?).as_bytes()),
        3 => text.extend_from_slice(bytes.choose(&NUMERALS)?.as_bytes()),
        4..=6 => write_string(bytes, text)?,
        7..=9 => {
            text.push(b'[');
            for index in 0..bytes.int_in_range(0..=4u8)? {
                if index > 0 {
                    text.push(b',');
                }
                write_text(bytes, text, depth + 1)?;
            }
            text.push(b']');
        }
        // Deeper than is allowed, in few bytes.
        10 if bytes.ratio(1, 8)? => {
            let depth = bytes.int_in_range(100..=140)?;
            text.extend(std::iter::repeat_n(b'[', depth));
            text.extend(std::iter::repeat_n(b']', depth));
        }
        _ => {
            text.push(b'{');
            for index in 0..bytes.int_in_range(0..=4u8)? {
                if index > 0 {
                    text.extend_from_slice(b" ,\n");
                }
                write_string(bytes, text)?;
                text.push(b':');
                write_text(bytes, text, depth + 1)?;
            }
            text.push(b'}');
        }
    }
    Ok(())
}

fn write_string(bytes: &mut Unstructured, text: &mut Vec<u8>) -> Result<()> {
    text.push(b'"');
    for _ in 0..bytes.int_in_range(0..=5u8)? {
        if bytes.arbitrary()? {
            text.extend_from_slice(bytes.choose(&ESCAPES)?.as_bytes());
        } else {
            text.extend_from_slice(bytes.arbitrary::<char>()?.to_string().as_bytes());
        }
    }
    text.push(b'"');
    Ok(())
}

const PIECES: [&str; 12] = ["[", "]", "{", "}", ",", ":", "\"", "\\", "\u{feff}", "/**/", "NaN", "\0"];
const NUMERALS: [&str; 12] = [
    "-0",
    "1e999",
    "-1e-999",
    "01",
    "1.",
    ".5",
    "+1",
    "18446744073709551616",
    "-9223372036854775809",
    "0.1000000000000000055511151231257827",
    "1E400",
    "123456789012345678901234567890",
];
const ESCAPES: [&str; 10] =
    ["\\n", "\\u0000", "\\ud800", "\\udc00", "\\ud83c\\udf89", "\\x41", "\\\"", "\\/", "a", "__proto__"];
