//! Mistakes of a script are ordinary Luau errors with a location, and the VM stays usable.

use js_sys::Array;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Page, json, property, start, text};

/// Checks that the VM still runs a script that waits.
async fn assert_alive(page: &Page) {
    assert_eq!(json(&page.run("task.wait() return 1 + 1").await), "[2]");
}

#[wasm_bindgen_test]
async fn a_hundred_thousand_errors_are_caught() {
    let page = Page::new();
    let results = page
        .run("local caught = 0 for i = 1, 100000 do if not pcall(error, i) then caught += 1 end end return caught")
        .await;
    assert_eq!(json(&results), "[100000]");
    assert_alive(&page).await;
}

#[wasm_bindgen_test]
async fn a_stack_overflow_is_an_error() {
    let page = Page::new();
    let error = page.fail("local function f() return f() + 1 end return f()").await;
    assert!(text(&error, "message").contains("stack overflow"), "{}", text(&error, "message"));
    let results = page.run("local function f() return f() + 1 end return pcall(f)").await;
    assert_eq!(results[0], false);
    assert_alive(&page).await;
}

#[wasm_bindgen_test]
async fn recursion_through_c_functions_is_an_error() {
    let page = Page::new();
    for source in [
        "local function f() return string.gsub('x', 'x', f) end return f()",
        "local function f() return table.sort({ 1, 2 }, f) end return f()",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k] end return t.x",
        "local function f() return coroutine.wrap(f)() end return f()",
        "local function f() task.spawn(f) end f() error('end')",
        "return tostring(setmetatable({}, { __tostring = function(self) return tostring(self) end }))",
    ] {
        page.fail(source).await;
        assert_alive(&page).await;
    }
}

#[wasm_bindgen_test]
async fn a_syntax_error_names_its_line() {
    let page = Page::new();
    let error = page.fail("local x = 1\nlocal y = = 2").await;
    assert_eq!(text(&error, "kind"), "syntax");
    assert_eq!(text(&error, "chunkName"), "script");
    assert_eq!(property(&error, "line"), 2);
    assert!(text(&error, "message").starts_with("script:2:"), "{}", text(&error, "message"));
    assert_alive(&page).await;
}

#[wasm_bindgen_test]
async fn loadstring_returns_nil_and_the_message_for_what_does_not_compile() {
    let page = Page::new();
    let results = page.run("return loadstring('return 1 +')").await;
    assert_eq!(results[0], wasm_bindgen::JsValue::UNDEFINED);
    assert!(results[1].as_string().unwrap().starts_with("(loadstring):1:"));
    assert_eq!(page.run("return loadstring('return ... + 1', '=name')(2)").await, [3]);
}

#[wasm_bindgen_test]
async fn an_error_names_chunk_line_and_traceback() {
    let page = Page::new();
    let error = page
        .fail("local function inner()\n  error('oops')\nend\nlocal function outer()\n  inner()\nend\nouter()")
        .await;
    assert_eq!(text(&error, "name"), "LuauError");
    assert_eq!(text(&error, "kind"), "runtime");
    assert_eq!(text(&error, "message"), "script:2: oops");
    assert_eq!(text(&error, "chunkName"), "script");
    assert_eq!(property(&error, "line"), 2);
    assert_eq!(text(&error, "traceback"), "script:2 function inner\nscript:5 function outer\nscript:7\n");
    assert_eq!(property(&error, "frames").unchecked_into::<Array>().length(), 3);
}

#[wasm_bindgen_test]
async fn any_value_can_be_thrown_and_comes_out() {
    let page = Page::new();
    let error = page.fail("error({ code = 7 })").await;
    assert_eq!(property(&property(&error, "value"), "code"), 7);
    assert_eq!(page.run("return pcall(error, nil)").await[0], false);
    let error = page.fail("error(setmetatable({}, { __tostring = function() return 'custom' end }))").await;
    assert_eq!(text(&error, "message"), "custom");
    let error = page.fail("error(setmetatable({}, { __tostring = function() error('no') end }))").await;
    assert_eq!(text(&error, "kind"), "runtime");
    assert_alive(&page).await;
}

#[wasm_bindgen_test]
async fn an_error_from_rust_is_a_string_with_the_callers_place() {
    let page = Page::new();
    let results =
        page.run("local ok, message = pcall(function()\n task.defer(5)\nend) return type(message), message").await;
    assert_eq!(
        json(&results),
        r#"["string","script:2: invalid argument #1 to 'defer' (function or thread expected, got number)"]"#
    );
    assert_alive(&page).await;
}

#[wasm_bindgen_test]
async fn an_error_after_a_wait_still_rejects_the_run() {
    let page = Page::new();
    let error = page.fail("task.wait(0.01)\nlocal x = nil\nreturn x.y").await;
    assert_eq!(property(&error, "line"), 3);
    assert!(page.errors().is_empty());
}

#[wasm_bindgen_test]
async fn a_sink_that_throws_is_an_error_of_the_script() {
    use js_sys::{Object, Reflect};
    use luau_websocket::testing::{Vm, VmOptions};
    let options = Object::new();
    let print = js_sys::Function::new_with_args("text", "throw new Error('no paper')");
    Reflect::set(&options, &"print".into(), &print).unwrap();
    let vm = Vm::new(Some(options.unchecked_into::<VmOptions>())).unwrap();
    let promise: js_sys::Promise = start(&vm, "print('x')");
    let error = wasm_bindgen_futures::JsFuture::from(promise).await.expect_err("the sink threw");
    assert_eq!(text(&error, "message"), "script:1: the host's 'print' failed: no paper");
    vm.dispose();
}
