//! `websocket.connect` returns a connection, or nil and a reason, or raises an error for what can never work. It never
//! hangs.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::clock::StoppedClock;
use crate::page::{Page, closed, half_open, json, server_connections, silent, text};

#[wasm_bindgen_test]
async fn an_opened_connection_tells_what_it_is() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/echo')
             return typeof(c), c.State, c.Url == 'ws://SERVER/echo', c.Protocol, c.OnMessage == c.OnMessage,
                 typeof(c.OnMessage), typeof(c.OnClose), type(c.Send), type(c.Close), WebSocket == websocket",
        )
        .await;
    assert_eq!(
        json(&results),
        r#"["WebSocketConnection","Open",true,"",true,"Signal","Signal","function","function",true]"#
    );
}

#[wasm_bindgen_test]
async fn what_a_connection_does_not_have_is_an_error_whatever_it_is_called() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/echo')
             local odd = setmetatable({}, { __tostring = function() error('asked') end })
             local fails = {}
             for _, name in { 'Nothing', '\\255', 1, odd } do
                 local isRead, message = pcall(function() return c[name] end)
                 table.insert(fails, not isRead and string.find(message, 'WebSocketConnection', 1, true) ~= nil)
             end
             return fails, (pcall(function() c.State = 'x' end))",
        )
        .await;
    assert_eq!(json(&results), "[[true,true,true,true],false]");
}

/// Returns a page with its own constructor, from the source of a class.
fn page_with_constructor(class: &str) -> Page {
    let constructor = Function::new_no_args(&format!("return {class}")).call0(&JsValue::NULL).unwrap();
    let (options, websocket) = (Object::new(), Object::new());
    Reflect::set(&websocket, &"WebSocket".into(), &constructor).unwrap();
    Reflect::set(&options, &"websocket".into(), &websocket).unwrap();
    Page::with_options(&options)
}

#[wasm_bindgen_test]
async fn a_page_may_give_a_constructor_of_its_own() {
    let page = page_with_constructor(
        "class extends WebSocket { constructor(url, protocols) { super(url + '?tagged', protocols) } }",
    );
    let results = page.run("return websocket.connect('ws://SERVER/echo').Url == 'ws://SERVER/echo?tagged'").await;
    assert_eq!(json(&results), "[true]");
}

#[wasm_bindgen_test]
async fn one_that_throws_gives_nil_and_its_words() {
    let page = page_with_constructor("class { constructor() { throw new Error('not today') } }");
    let results = page.run("return websocket.connect('ws://SERVER/echo')").await;
    assert_eq!(json(&results), r#"[null,"not today"]"#);
}

#[wasm_bindgen_test]
async fn one_whose_events_come_from_inside_its_methods_does_no_harm() {
    let page = page_with_constructor(
        "class extends WebSocket {
             send(message) { this.onmessage({ data: message }) }
             close() { super.close(); this.onclose({ code: 1000, reason: 'at once', wasClean: true }) }
         }",
    );
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/echo')
             c.OnMessage:Connect(print)
             c:Send('hello')
             c:Close()
             print(c.State)
             return (select(2, c.OnClose:Wait()))",
        )
        .await;
    assert_eq!(json(&results), r#"["at once"]"#);
    assert_eq!(page.texts(), ["Closed", "hello\tfalse"]);
}

#[wasm_bindgen_test]
async fn nobody_listening_gives_nil_before_the_time_out() {
    let page = Page::new();
    let script = "local c, reason = websocket.connect('ws://CLOSED/') return c == nil, reason";
    // While the clock stands still, no timeout can end it.
    let clock = StoppedClock::new();
    let results = page.run(&script.replace("CLOSED", &closed().await)).await;
    drop(clock);
    assert!(json(&results).starts_with("[true,\"could not connect"), "{}", json(&results));
}

#[wasm_bindgen_test]
async fn another_answer_than_the_handshake_gives_nil() {
    let page = Page::new();
    let results = page.run("return (websocket.connect('ws://SERVER/forbidden')) == nil").await;
    assert_eq!(json(&results), "[true]");
}

#[wasm_bindgen_test]
async fn a_server_that_agrees_to_no_subprotocol_gives_nil_and_is_left() {
    let page = Page::new();
    let results =
        page.run("return (websocket.connect('ws://SERVER/subprotocol', { protocols = { 'chat' } })) == nil").await;
    assert_eq!(json(&results), "[true]");
    assert_eq!(server_connections(0).await, 0);
}

#[wasm_bindgen_test]
async fn what_the_browser_cannot_parse_gives_nil_and_its_words() {
    let page = Page::new();
    let results = page.run("local c, reason = websocket.connect('ws://') return c == nil, #reason > 0").await;
    assert_eq!(json(&results), "[true,true]");
}

#[wasm_bindgen_test]
async fn a_server_that_never_answers_gives_nil_after_thirty_seconds() {
    let page = Page::new();
    let clock = StoppedClock::new();
    let waiting = page.start(
        &"local c, reason = websocket.connect('ws://SILENT/') print(c, reason)".replace("SILENT", &silent().await),
    );
    page.run("").await;
    clock.advance(29.9);
    page.run("").await;
    assert!(page.texts().is_empty(), "{:?}", page.texts());
    clock.advance(0.2);
    page.run("").await;
    wasm_bindgen_futures::JsFuture::from(waiting).await.unwrap();
    assert_eq!(page.texts(), ["nil\ttimed out after 30 s"]);
    drop(clock);
    assert_eq!(half_open(0).await, 0);
}

#[wasm_bindgen_test]
async fn the_time_out_can_be_chosen() {
    let page = Page::new();
    let results = page
        .run(&"return websocket.connect('ws://SILENT/', { timeout = 0.25 })".replace("SILENT", &silent().await))
        .await;
    assert_eq!(json(&results), r#"[null,"timed out after 0.25 s"]"#);
    assert!(page.seconds() >= 0.25, "{}", page.seconds());
}

#[wasm_bindgen_test]
async fn while_one_waits_another_goes_on() {
    let page = Page::new();
    let waiting = page.start(
        &"websocket.connect('ws://SILENT/', { timeout = 1 }) print('connect returned')"
            .replace("SILENT", &silent().await),
    );
    let clock = StoppedClock::new();
    page.run("for i = 1, 3 do print(i) task.defer(coroutine.running()) coroutine.yield() end").await;
    drop(clock);
    wasm_bindgen_futures::JsFuture::from(waiting).await.unwrap();
    assert_eq!(page.texts(), ["1", "2", "3", "connect returned"]);
}

#[wasm_bindgen_test]
async fn it_works_in_coroutines_of_the_script_and_under_pcall() {
    let page = Page::new();
    page.run(
        "local done = 0
         for i = 1, 5 do
             coroutine.wrap(function()
                 local ok, c = pcall(websocket.connect, 'ws://SERVER/echo')
                 assert(ok and c) c:Close() done += 1
             end)()
         end
         while done < 5 do task.wait() end",
    )
    .await;
}

#[wasm_bindgen_test]
async fn a_cancelled_thread_lets_go_of_its_half_open_socket() {
    let page = Page::new();
    page.run(
        &"for _, close in { task.cancel, coroutine.close } do
             local waiter = task.spawn(function() websocket.connect('ws://SILENT/') print('never') end)
             -- For the browser to begin. Whether it has makes no difference to the result.
             task.wait(0.2)
             close(waiter)
         end"
        .replace("SILENT", &silent().await),
    )
    .await;
    assert_eq!(half_open(0).await, 0);
    assert!(page.texts().is_empty());
}

#[wasm_bindgen_test]
async fn wrong_arguments_are_errors_that_name_the_place() {
    let cases = [
        ("websocket.connect(5)", "script:1: invalid argument #1 to 'connect' (string expected, got number)"),
        ("websocket.connect('ws://x', 5)", "script:1: invalid argument #2 to 'connect' (table expected, got number)"),
        (
            "websocket.connect('ws://x', { protocols = { 'a b' } })",
            "script:1: invalid option 'protocols' to 'connect' (entry 1, \"a b\", is not a token: letters, digits and \
             !#$%&'*+-.^_`|~)",
        ),
        (
            "websocket.connect('ws://x', { protocols = { 'a', 'a' } })",
            "script:1: invalid option 'protocols' to 'connect' (entry 2, \"a\", is a duplicate)",
        ),
        (
            "websocket.connect('ws://x', { protocols = { 'a', nil, 'b' } })",
            "script:1: invalid option 'protocols' to 'connect' (a list expected, with only the keys 1 to n)",
        ),
        (
            "websocket.connect('ws://x', { protocols = { chat = true } })",
            "script:1: invalid option 'protocols' to 'connect' (a list expected, with only the keys 1 to n)",
        ),
        (
            "websocket.connect('ws://x', { timeout = 'soon' })",
            "script:1: invalid option 'timeout' to 'connect' (a number of seconds expected, got \"soon\")",
        ),
        (
            "websocket.connect('ws://x', { Timeout = 1 })",
            "script:1: invalid option 'Timeout' to 'connect' (valid options: protocols, timeout, binary)",
        ),
    ];
    let page = Page::new();
    for (source, message) in cases {
        assert_eq!(text(&page.fail(source).await, "message"), message);
    }
    let headers = text(&page.fail("websocket.connect('ws://x', { headers = {} })").await, "message");
    assert!(headers.contains("'headers'"), "{headers}");
}

#[wasm_bindgen_test]
async fn a_url_of_another_scheme_is_an_error() {
    let page = Page::new();
    for url in ["http://x", "https://x", "x", "", "/relative", "ws:x", " ws://x"] {
        let results = page.run(&format!("return pcall(websocket.connect, '{url}')")).await;
        assert_eq!(results[0], false);
        let message = results[1].as_string().unwrap();
        assert!(message.contains("invalid websocket url"), "{message}");
    }
    let results =
        page.run(&"return (websocket.connect('WS://CLOSED')) == nil".replace("CLOSED", &closed().await)).await;
    assert_eq!(json(&results), "[true]");
}
