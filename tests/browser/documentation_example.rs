//! The usage example of the websocket library's documentation does what it says, when it says so.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Page, SERVER, sleep, within};

const EXAMPLE: &str = include_str!("../../www/examples/echo.luau");
const TOLERANCE: f64 = 0.3;

#[wasm_bindgen_test]
async fn it_prints_what_it_says_in_order_and_in_time() {
    within(TOLERANCE, tried).await;
}

/// Runs it, and returns by how much the line was out that was out most.
async fn tried() -> f64 {
    let page = Page::new();
    let script = EXAMPLE.replace("127.0.0.1:8080", SERVER);
    assert_ne!(script, EXAMPLE, "the example no longer has the address that is replaced here");
    page.run(&script).await;
    sleep(10.8).await;

    let mut expected = vec![(0.0, "WebSocket connected!".to_owned())];
    for second in 0..10_u8 {
        let message = format!("{}Hello from Luau!", "Echo: ".repeat(second.into()));
        expected.push((second.into(), format!("Received:\t{message}")));
    }
    expected.push((10.0, "Closing connection...".to_owned()));
    expected.push((10.0, "WebSocket disconnected.".to_owned()));

    let texts: Vec<String> = expected.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(page.texts(), texts);
    assert!(page.errors().is_empty());
    page.lines().iter().zip(expected).map(|(line, (seconds, _))| (line.seconds - seconds).abs()).fold(0.0, f64::max)
}
