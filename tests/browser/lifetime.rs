//! Whatever a VM or a script releases is gone, on the server too. A VM that is gone reports that.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Object, Promise, Reflect};
use luau_websocket::testing::{Vm, VmOptions};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::clock::StoppedClock;
use crate::page::{Page, ask_server, eventually, half_open, server_connections, silent, sleep, start, text};

#[wasm_bindgen_test]
async fn disposing_closes_every_socket_and_stops_every_timer() {
    let page = Page::new();
    let waiting = page.start(&"websocket.connect('ws://SILENT/')".replace("SILENT", &silent().await));
    page.run(
        "open = websocket.connect('ws://SERVER/echo')
         open.OnMessage:Connect(print)
         task.delay(60, print, 'never')
         task.defer(function() while true do task.wait() end end)",
    )
    .await;
    assert_eq!((server_connections(1).await, half_open(1).await), (1, 1));
    page.vm().dispose();
    let error = wasm_bindgen_futures::JsFuture::from(waiting).await.expect_err("the run did not end");
    assert_eq!(text(&error, "kind"), "disposed");
    assert_eq!((server_connections(0).await, half_open(0).await), (0, 0));
    // Nothing may happen when the timer would be due, and no event would show that.
    StoppedClock::new().advance(60.0);
    sleep(0.05).await;
    assert!(page.texts().is_empty());
}

#[wasm_bindgen_test]
async fn a_disposed_vm_says_so_and_may_be_disposed_again() {
    let page = Page::new();
    page.vm().dispose();
    page.vm().dispose();
    let error = page.fail("return 1").await;
    assert_eq!(text(&error, "kind"), "disposed");
}

#[wasm_bindgen_test]
async fn a_vm_that_the_page_lets_go_of_ends_when_it_has_nothing_left_to_do() {
    let mut page = Page::new();
    let waiting = page.start(
        "local c = websocket.connect('ws://SERVER/echo')
         c.OnMessage:Connect(function(message) print(message) c:Close() end)
         task.wait(0.1)
         c:Send('still here')
         return 'done'",
    );
    page.let_go();
    let results = wasm_bindgen_futures::JsFuture::from(waiting).await.unwrap();
    assert_eq!(results.unchecked_into::<js_sys::Array>().get(0), "done");
    assert_eq!(server_connections(0).await, 0);
    assert_eq!(page.texts(), ["still here"]);
}

#[wasm_bindgen_test]
async fn letting_go_of_a_vm_from_inside_a_sink_does_not_end_what_runs() {
    let page = Rc::new(RefCell::new(Some(Vm::new(None).unwrap())));
    let of_sink = page.clone();
    let let_go = Closure::<dyn Fn(JsValue)>::new(move |_| drop(of_sink.take()));
    let options = Object::new();
    Reflect::set(&options, &"print".into(), let_go.as_ref()).unwrap();
    let vm = Vm::new(Some(options.unchecked_into::<VmOptions>())).unwrap();
    let promise: Promise = start(&vm, "task.wait(0.01) print('x') task.wait(0.01) return 5");
    page.replace(Some(vm));
    let results = wasm_bindgen_futures::JsFuture::from(promise).await.unwrap();
    assert_eq!(results.unchecked_into::<js_sys::Array>().get(0), 5);
}

#[wasm_bindgen_test]
async fn a_sink_may_run_scripts_and_dispose_the_vm() {
    let page = std::rc::Rc::new(Page::new());
    let of_sink = std::rc::Rc::downgrade(&page);
    page.on_print(move |text| {
        let page = of_sink.upgrade().unwrap();
        match text {
            "run" => drop(page.start("print('from the sink')")),
            "dispose" => page.vm().dispose(),
            _ => {}
        }
    });
    page.run("print('run') print('first')").await;
    assert_eq!(page.texts(), ["run", "first", "from the sink"]);
    let error = page
        .fail(
            "task.delay(0, print, 'never')
             pcall(print, 'dispose')
             pcall(print, 'never')
             pcall(websocket.connect, 'ws://SERVER/echo')
             print('never')",
        )
        .await;
    assert_eq!(text(&error, "kind"), "disposed");
    // Nothing may happen any more, and no event would show that.
    sleep(0.1).await;
    assert_eq!(page.texts().pop().unwrap(), "dispose");
    assert_eq!(server_connections(0).await, 0);
}

#[wasm_bindgen_test]
async fn a_run_whose_thread_is_cancelled_is_rejected() {
    let page = Page::new();
    let waiting = page.start("main = coroutine.running() task.wait(60)");
    page.run("task.cancel(main)").await;
    let error = wasm_bindgen_futures::JsFuture::from(waiting).await.expect_err("the run did not end");
    assert_eq!(text(&error, "kind"), "cancelled");
}

#[wasm_bindgen_test]
async fn a_run_that_a_script_resumes_by_hand_still_tells_how_it_ended() {
    let page = Page::new();
    let results = page
        .run(
            "local main = coroutine.running()
             task.delay(0.02, function() coroutine.resume(main, 'by hand') end)
             return coroutine.yield()",
        )
        .await;
    assert_eq!(results, ["by hand"]);
    let error = page
        .fail(
            "local main = coroutine.running()
             task.delay(0.02, function() coroutine.resume(main) end)
             coroutine.yield()
             error('after')",
        )
        .await;
    assert_eq!(text(&error, "message"), "script:4: after");
}

#[wasm_bindgen_test]
async fn a_connection_nobody_can_reach_or_hear_is_closed_also_when_nothing_happens_any_more() {
    let page = Page::new();
    page.run("for i = 1, 5 do websocket.connect('ws://SERVER/record?name=unheard'):Send('x') end").await;
    assert_eq!(server_connections(5).await, 5);
    assert_eq!(server_connections(0).await, 0);
    let expected = r#"["x","closed 1000 "]"#;
    assert_eq!(ask_server("recorded?name=unheard", expected).await, expected);
}

#[wasm_bindgen_test]
async fn one_that_a_script_can_reach_is_not_closed() {
    let page = Page::new();
    page.run(
        "reachable = websocket.connect('ws://SERVER/echo')
         websocket.connect('ws://SERVER/echo')",
    )
    .await;
    // By the time the other one is closed, this one would be too.
    assert_eq!(server_connections(2).await, 2);
    assert_eq!(server_connections(1).await, 1);
    assert_eq!(page.run("return reachable.State").await, ["Open"]);
}

#[wasm_bindgen_test]
async fn one_is_closed_when_its_last_handler_is_disconnected() {
    let page = Page::new();
    page.run(
        "handler = websocket.connect('ws://SERVER/echo').OnMessage:Connect(print)
         websocket.connect('ws://SERVER/echo')",
    )
    .await;
    // By the time the other one, which has no handler, is closed, this one would be too.
    assert_eq!(server_connections(2).await, 2);
    assert_eq!(server_connections(1).await, 1);
    page.run("handler:Disconnect()").await;
    assert_eq!(server_connections(0).await, 0);
}

#[wasm_bindgen_test]
async fn a_connection_with_a_handler_lives_without_a_reference() {
    let page = Page::new();
    page.run(
        "websocket.connect('ws://SERVER/later?seconds=2').OnMessage:Connect(function(message) print(message) end)",
    )
    .await;
    page.run("for i = 1, 400000 do local _ = { i } end").await;
    eventually(|| page.texts() == ["later"]).await;
    page.vm().dispose();
    assert_eq!(server_connections(0).await, 0);
}

#[wasm_bindgen_test]
async fn globals_are_shared_by_runs_and_libraries_are_read_only() {
    let page = Page::new();
    page.run("common = 5").await;
    assert_eq!(page.run("return common").await[0], 5);
    page.fail("task.wait = nil").await;
    page.fail("websocket.connect = nil").await;
    page.fail("string.rep = nil").await;
    assert_eq!(Page::new().run("return common").await[0], wasm_bindgen::JsValue::UNDEFINED);
}
