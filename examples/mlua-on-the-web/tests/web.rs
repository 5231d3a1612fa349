//! The example does what it is for: values, errors that scripts catch and errors that get out, and C++ code that throws.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

use mlua_on_the_web::evaluate;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

fn value(source: &str) -> String {
    evaluate(source).unwrap_or_else(|error| panic!("{}", message(error.into())))
}

fn message(error: JsValue) -> String {
    error.unchecked_into::<js_sys::Error>().message().into()
}

#[wasm_bindgen_test]
fn it_computes() {
    assert_eq!(value("return 1 + 1"), "2");
    assert_eq!(value("return string.format('%.3f', math.exp(1))"), "2.718");
    assert_eq!(value("local list = {3, 1, 2} table.sort(list) return table.concat(list, ' ')"), "1 2 3");
}

#[wasm_bindgen_test]
fn errors_are_caught_by_scripts() {
    assert_eq!(value("local ok, message = pcall(error, 'oops', 0) return message"), "oops");
    // Thrown and caught in C++, a hundred thousand times.
    assert_eq!(value("local n = 0 for _ = 1, 1e5 do if not pcall(error) then n += 1 end end return n"), "100000");
}

#[wasm_bindgen_test]
fn errors_get_out() {
    let error = evaluate("local function f() error('oops') end f()").expect_err("it raises an error");
    assert!(message(error.into()).contains("script:1: oops"));
    let error = evaluate("local x = = 1").expect_err("it is no Luau");
    assert!(message(error.into()).contains("syntax error"));
}

#[wasm_bindgen_test]
fn coroutines_yield_through_pcall() {
    assert_eq!(
        value("local next = coroutine.wrap(function() pcall(coroutine.yield, 1) return 2 end) return next() + next()"),
        "3"
    );
}
