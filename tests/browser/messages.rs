//! Messages are transferred unchanged, in order, in both directions, and none is lost, whenever a handler is attached.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Page, ask_server, json};

#[wasm_bindgen_test]
async fn those_that_come_before_a_handler_are_kept_and_the_close_comes_after_them() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/burst?count=1000&close=3001&reason=done')
             repeat task.wait() until c.State == 'Closed'
             local events, state = {}, c.State
             c.OnClose:Connect(function(code, reason, wasClean) table.insert(events, `{code} {reason} {wasClean}`) end)
             c.OnMessage:Connect(function(message) table.insert(events, message) end)
             repeat task.wait() until #events >= 1001
             local inOrder = true
             for i = 1, 1000 do inOrder = inOrder and events[i] == tostring(i) end
             return state, inOrder, #events, events[1001]",
        )
        .await;
    assert_eq!(json(&results), r#"["Closed",true,1001,"3001 done true"]"#);
}

#[wasm_bindgen_test]
async fn text_is_a_string_and_binary_says_so() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/echo')
             c:Send('grüße \\0 🎉')
             local text, isBinary = c.OnMessage:Wait()
             local bytes = buffer.create(256)
             for i = 0, 255 do buffer.writeu8(bytes, i, i) end
             c:Send(bytes)
             local data, dataIsBinary = c.OnMessage:Wait()
             return text == 'grüße \\0 🎉', isBinary, data == buffer.tostring(bytes), dataIsBinary",
        )
        .await;
    assert_eq!(json(&results), "[true,false,true,true]");
}

#[wasm_bindgen_test]
async fn binary_comes_as_a_buffer_where_that_was_asked_for() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/echo', { binary = 'buffer' })
             c:Send(buffer.fromstring('\\255\\0'))
             local data, isBinary = c.OnMessage:Wait()
             return type(data), buffer.tostring(data) == '\\255\\0', isBinary",
        )
        .await;
    assert_eq!(json(&results), r#"["buffer",true,true]"#);
}

#[wasm_bindgen_test]
async fn what_was_sent_before_close_is_delivered() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/record?name=before-close')
             for i = 1, 3 do c:Send(tostring(i)) end
             c:Close()
             c:Send('not open any more: does nothing')
             local state = c.State
             local code, reason, wasClean = c.OnClose:Wait()
             return state, code, reason, wasClean, c.State, c.CloseCode, c.WasClean",
        )
        .await;
    assert_eq!(json(&results), r#"["Closing",1000,"",true,"Closed",1000,true]"#);
    let expected = r#"["1","2","3","closed 1000 "]"#;
    assert_eq!(ask_server("recorded?name=before-close", expected).await, expected);
}

#[wasm_bindgen_test]
async fn a_wait_for_a_message_ends_with_the_connection() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/burst?count=3&close=1000')
             local got = {}
             while true do
                 local message = c.OnMessage:Wait()
                 if message == nil then break end
                 table.insert(got, message)
             end
             return table.concat(got, ' ')",
        )
        .await;
    assert_eq!(json(&results), r#"["1 2 3"]"#);
}

#[wasm_bindgen_test]
async fn a_close_does_not_overtake_messages_that_a_script_reads_one_by_one() {
    let page = Page::new();
    page.run(
        "local c = websocket.connect('ws://SERVER/burst?count=3&close=1000')
         c.OnClose:Connect(function() print('closed') end)
         while true do
             local message = c.OnMessage:Wait()
             if message == nil then break end
             print(message)
             task.wait(0.05)
         end
         task.wait(0.05)",
    )
    .await;
    assert_eq!(page.texts(), ["1", "2", "3", "closed"]);
}

#[wasm_bindgen_test]
async fn who_comes_after_the_close_was_told_is_not_left_waiting() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/burst?count=0&close=1000')
             c.OnClose:Wait()
             local late = c.OnClose:Connect(print)
             local code = c.OnClose:Wait()
             return code, late.Connected, (c.OnMessage:Wait())",
        )
        .await;
    assert_eq!(json(&results), "[null,false,null]");
}

#[wasm_bindgen_test]
async fn close_fires_once_and_never_from_inside_close() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/echo')
             local events = {}
             c.OnClose:Connect(function() table.insert(events, 'closed') end)
             c:Close(3000, 'bye') c:Close(3000, 'bye')
             table.insert(events, 'returned')
             repeat task.wait() until #events == 2
             c:Close()
             -- It must not fire again, and no event would show that.
             task.wait(0.05)
             return table.concat(events, ' '), c.CloseCode, c.CloseReason",
        )
        .await;
    assert_eq!(json(&results), r#"["returned closed",3000,"bye"]"#);
}

#[wasm_bindgen_test]
async fn what_cannot_be_sent_or_closed_with_is_an_error_and_leaves_the_socket() {
    let page = Page::new();
    let results = page
        .run(
            "local c = websocket.connect('ws://SERVER/echo')
             local function failure(...) return (select(2, pcall(...))) end
             local failures = {
                 failure(c.Send, c, 5),
                 failure(c.Send, c),
                 failure(c.Send, 'x'),
                 failure(c.Send, c, '\\255'),
                 failure(c.Close, c, 1001),
                 failure(c.Close, c, 1000, string.rep('é', 62)),
             }
             c:Send('still here')
             return failures, c.OnMessage:Wait(), c.State",
        )
        .await;
    assert_eq!(
        json(&results),
        r#"[["invalid argument #1 to 'Send' (string or buffer expected, got number)","missing argument #1 to 'Send' (string or buffer expected)","expected ':' not '.' calling member function 'Send' of a WebSocketConnection","invalid argument #1 to 'Send' (a text message must be valid UTF-8; to send bytes, use a buffer: buffer.fromstring(message))","invalid argument #1 to 'Close' (the close code must be 1000 or 3000 to 4999, got 1001)","invalid argument #2 to 'Close' (the reason is too long: 124 bytes, but the limit is 123)"],"still here","Open"]"#
    );
}

#[wasm_bindgen_test]
async fn handlers_may_fail_disconnect_and_connect_anew() {
    let page = Page::new();
    page.run(
        "local c = websocket.connect('ws://SERVER/burst?count=2&close=1000')
         c.OnMessage:Connect(function() error('broken handler') end)
         local once once = c.OnMessage:Connect(function(message) print(message) once:Disconnect() end)
         c.OnClose:Wait()
         task.wait(0.05)
         local again = websocket.connect('ws://SERVER/burst?count=1')
         print('again', (again.OnMessage:Wait()))",
    )
    .await;
    assert_eq!(page.texts(), ["1", "again\t1"]);
    assert_eq!(page.errors(), ["script:2: broken handler", "script:2: broken handler"]);
}
