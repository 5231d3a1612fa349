//! The results of a chunk reach the host as the corresponding JS values.

use js_sys::{Array, Function, Map, Object, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Page, json, property};

#[wasm_bindgen_test]
async fn nil_booleans_numbers_and_strings_are_converted() {
    let page = Page::new();
    let results = page.run("return nil, true, 1, 0.5, 'grüße \\0', nil").await;
    assert_eq!(json(&results), r#"[null,true,1,0.5,"grüße \u0000",null]"#);
    assert_eq!(results[0], JsValue::UNDEFINED);
    let results = page.run("return 1/0, -1/0, 0/0, -0").await;
    let numbers: Vec<f64> = results.iter().filter_map(JsValue::as_f64).collect();
    assert_eq!(numbers[..2], [f64::INFINITY, f64::NEG_INFINITY]);
    assert!(numbers[2].is_nan());
    assert!(numbers[3] == 0.0 && numbers[3].is_sign_negative());
}

#[wasm_bindgen_test]
async fn print_and_warn_call_tostring_and_separate_values_with_tabs() {
    let page = Page::new();
    page.run(
        "local object = setmetatable({}, { __tostring = function() return 'an object' end })
         print() print(nil) print('a', nil, 1.5, true, object, nil) warn('careful', object)
         print((pcall(print, setmetatable({}, { __tostring = function() return {} end }))))",
    )
    .await;
    assert_eq!(page.texts(), ["", "nil", "a\tnil\t1.5\ttrue\tan object\tnil", "warning: careful\tan object", "false"]);
}

#[wasm_bindgen_test]
async fn buffers_become_uint8_arrays() {
    let page = Page::new();
    for result in page.run("return buffer.fromstring('\\255\\0')").await {
        assert_eq!(result.unchecked_into::<Uint8Array>().to_vec(), [255, 0]);
    }
}

#[wasm_bindgen_test]
async fn tables_are_arrays_objects_or_maps() {
    let page = Page::new();
    let results = page.run("return { 1, { 2 } }, { a = { b = 1 } }, { 1, a = 2 }, { [1] = 1, [3] = 3 }").await;
    assert_eq!(json(&results[..2]), r#"[[1,[2]],{"a":{"b":1}}]"#);
    let mixed: Map = results[2].clone().dyn_into().unwrap();
    assert_eq!((mixed.get(&1.into()), mixed.get(&"a".into())), (1.into(), 2.into()));
    assert_eq!(results[3].clone().dyn_into::<Map>().unwrap().size(), 2);
    for hole in page.run("local t = { 1, 2, 3 } t[2] = nil return { 1, nil, 3 }, t").await {
        assert_eq!(hole.dyn_into::<Map>().unwrap().size(), 2);
    }
}

#[wasm_bindgen_test]
async fn cycles_and_shared_tables_are_preserved() {
    let page = Page::new();
    let results = page.run("local t = {} t.self = t local s = {} return t, { s, s }").await;
    assert_eq!(property(&results[0], "self"), results[0]);
    let shared: Array = results[1].clone().unchecked_into();
    assert_eq!(shared.get(0), shared.get(1));
}

#[wasm_bindgen_test]
async fn a_key_named_proto_is_a_property_and_never_a_prototype() {
    let page = Page::new();
    let results = page.run("return { __proto__ = { polluted = true } }").await;
    let object: Object = results[0].clone().unchecked_into();
    assert_eq!(Object::keys(&object).to_vec(), [JsValue::from("__proto__")]);
    assert_eq!(property(&object, "polluted"), JsValue::UNDEFINED);
}

#[wasm_bindgen_test]
async fn opaque_values_stay_usable_after_the_vm_is_disposed() {
    let page = Page::new();
    let results = page.run("return print, newproxy(), coroutine.create(print)").await;
    page.vm().dispose();
    assert!(results[0].is_function());
    for (value, start) in [(&results[1], "userdata: 0x"), (&results[2], "thread: 0x")] {
        assert!(String::from(value.unchecked_ref::<Object>().to_string()).starts_with(start));
    }
}

#[wasm_bindgen_test]
async fn script_functions_become_functions_that_return_promises() {
    let page = Page::new();
    let results = page.run("return function(a, ...) task.wait(0.01) return a * 2, ... end").await;
    let promise = results[0].unchecked_ref::<Function>().call2(&JsValue::UNDEFINED, &21.into(), &"x".into());
    let returned = wasm_bindgen_futures::JsFuture::from(promise.unwrap().unchecked_into::<Promise>()).await.unwrap();
    assert_eq!(json(&returned.unchecked_into::<Array>().to_vec()), r#"[42,"x"]"#);
}

#[wasm_bindgen_test]
async fn math_string_and_os_functions_return_plausible_values() {
    let page = Page::new();
    let results = page
        .run("return math.exp(1) == math.e, math.pi == math.acos(-1), string.format('%.3f %5d %q', 1 / 3, 42, 'x\\n')")
        .await;
    assert_eq!(json(&results), r#"[true,true,"0.333    42 \"x\\\n\""]"#);
    let results = page.run("return os.time() > 1e9, os.clock() >= 0, #os.date() > 10, math.random() < 1").await;
    assert_eq!(json(&results), "[true,true,true,true]");
}
