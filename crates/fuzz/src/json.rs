//! Fuzzes `json`: with arbitrary bytes as text, with texts that are nearly JSON, and with arbitrary values.
//!
//! The reference is `serde_json` with its own type `Value`. Our code uses its grammar too, so this mostly tests the
//! conversions to and from Luau.

use arbitrary::{Result, Unstructured};
use mlua::prelude::*;
use serde_json::{Map, Number, Value};

use luau_runtime::testing::World;

/// Runs one case.
pub fn run(input: &[u8]) {
    thread_local! {
        // Cases leave nothing behind, so they share a VM.
        static VM: Vm = Vm::new();
    }
    let mut bytes = Unstructured::new(input);
    VM.with(|vm| {
        let kind = bytes.int_in_range(0..=3u8).unwrap_or_default();
        match kind {
            0 => vm.check_text(bytes.take_rest()),
            1 | 2 => {
                let mut text = Vec::new();
                // If the input runs out, the text ends there.
                let _ = write_text(&mut bytes, &mut text, 0);
                vm.check_text(&text);
            }
            _ => {
                let mut ancestors = Vec::new();
                if let Ok((value, expected)) = vm.value(&mut bytes, &mut ancestors) {
                    vm.check_value(&value, expected);
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
            (Ok(value), Ok(expected)) => self.check_value(&value, Some(with_doubles(expected))),
            (Err(error), Err(_)) => check_error(&error, "cannot decode: "),
            (decoded, expected) => {
                panic!("{:?}: {decoded:?}, but serde_json: {expected:?}", String::from_utf8_lossy(text))
            }
        }
    }

    /// Checks how a value is encoded. `expected` is the value that the text represents; none if encoding must fail.
    fn check_value(&self, value: &LuaValue, expected: Option<Value>) {
        let encoded = self.encode.call::<LuaString>(value);
        match (encoded, expected) {
            (Ok(text), Some(expected)) => {
                let text = text.as_bytes();
                let parsed: Value = serde_json::from_slice(&text).expect("encoded text is JSON");
                assert_eq!(with_doubles(parsed), expected);
                let decoded = self.decode.call::<LuaValue>(self.world.lua.create_string(&text).unwrap()).unwrap();
                let encoded_again = self.encode.call::<LuaString>(decoded).unwrap();
                assert_eq!(encoded_again.as_bytes(), text, "the decoded value is encoded differently");
            }
            (Err(error), None) => check_error(&error, "cannot encode: "),
            (encoded, expected) => panic!("{value:?}: {encoded:?}, expected {expected:?}"),
        }
    }

    /// Makes a value, and the value that its JSON represents; none if it cannot be encoded. `ancestors` are the tables
    /// around it.
    fn value(&self, bytes: &mut Unstructured, ancestors: &mut Vec<LuaTable>) -> Result<(LuaValue, Option<Value>)> {
        let lua = &self.world.lua;
        let kind = bytes.int_in_range(0..=if ancestors.len() < 6 { 15 } else { 7u8 })?;
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
                let expected = String::from_utf8(text.clone()).ok().map(Value::String);
                (LuaValue::String(lua.create_string(text).unwrap()), expected)
            }
            7 => (self.unencodable(bytes, ancestors)?, None),
            8..=11 => self.array(bytes, ancestors)?,
            _ => self.object(bytes, ancestors)?,
        })
    }

    fn unencodable(&self, bytes: &mut Unstructured, ancestors: &[LuaTable]) -> Result<LuaValue> {
        let lua = &self.world.lua;
        Ok(match bytes.int_in_range(0..=5u8)? {
            0 => LuaValue::Function(self.encode.clone()),
            1 => LuaValue::Thread(lua.current_thread()),
            2 => LuaValue::Buffer(lua.create_buffer([1, 2, 3]).unwrap()),
            3 => LuaValue::Vector(LuaVector::new(1.0, 2.0, 3.0)),
            4 if !ancestors.is_empty() => LuaValue::Table(bytes.choose(ancestors)?.clone()),
            _ => LuaValue::Number(f64::NAN),
        })
    }

    fn array(&self, bytes: &mut Unstructured, ancestors: &mut Vec<LuaTable>) -> Result<(LuaValue, Option<Value>)> {
        let table = self.world.lua.create_table().unwrap();
        ancestors.push(table.clone());
        let mut contents = Some(Vec::new());
        for index in 1..=bytes.int_in_range(0..=8)? {
            let (value, expected) = self.value(bytes, ancestors)?;
            table.raw_set(index, value).unwrap();
            contents = contents.zip(expected).map(|(mut list, item)| {
                list.push(item);
                list
            });
        }
        ancestors.pop();
        if bytes.ratio(1, 16)? {
            // A key that neither arrays nor objects can have.
            let key = *bytes.choose(&[-1.0, 0.5, 100.0, f64::INFINITY, 9e15])?;
            table.raw_set(key, 1).unwrap();
            contents = None;
        }
        Ok((LuaValue::Table(table), contents.map(Value::Array)))
    }

    fn object(&self, bytes: &mut Unstructured, ancestors: &mut Vec<LuaTable>) -> Result<(LuaValue, Option<Value>)> {
        let table = self.world.lua.create_table().unwrap();
        ancestors.push(table.clone());
        let mut contents = Some(Map::new());
        let mut is_empty = true;
        for _ in 0..bytes.int_in_range(0..=6)? {
            let key: String = bytes.arbitrary()?;
            if table.raw_get::<LuaValue>(key.as_str()).unwrap() != LuaNil {
                continue;
            }
            let (value, expected) = self.value(bytes, ancestors)?;
            table.raw_set(key.as_str(), value).unwrap();
            is_empty = false;
            contents = contents.zip(expected).map(|(mut object, item)| {
                object.insert(key, item);
                object
            });
        }
        ancestors.pop();
        if bytes.ratio(1, 16)? {
            let key = match bytes.int_in_range(0..=2u8)? {
                0 => LuaValue::Boolean(true),
                1 => LuaValue::String(self.world.lua.create_string(b"\xff").unwrap()),
                // In an empty table the number below would be the key of a valid array.
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
        let expected =
            if is_empty && !is_marked { Some(Value::Array(Vec::new())) } else { contents.map(Value::Object) };
        Ok((LuaValue::Table(table), expected))
    }
}

/// Numbers at the limits of whole numbers, of exact numbers, and of doubles.
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
    /// Adds the value that the JSON of a number represents; none for numbers that JSON lacks.
    fn with_number(self) -> Self {
        let expected = self.0.as_f64().and_then(Number::from_f64).map(Value::Number).map(with_doubles);
        (self.0, expected)
    }
}

/// Checks that an error has one of our own messages.
fn check_error(error: &LuaError, prefix: &str) {
    let LuaError::RuntimeError(message) = error else { panic!("not a runtime error: {error:?}") };
    assert!(message.starts_with(prefix), "{message}");
}

/// Converts numbers to doubles, as Luau does, and removes the sign of zero.
fn with_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            Value::Number(Number::from_f64(if number == 0.0 { 0.0 } else { number }).unwrap())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(with_doubles).collect()),
        Value::Object(object) => {
            Value::Object(object.into_iter().map(|(name, value)| (name, with_doubles(value))).collect())
        }
        other => other,
    }
}

/// Writes text that follows JSON's grammar, with a misplaced piece now and then.
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
        // Nests around the allowed depth, and takes few bytes of the input.
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
