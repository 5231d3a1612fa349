//! The usage example in the websocket library's documentation works as described, with the right timing.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::clock::StoppedClock;
use crate::page::{Page, SERVER, eventually};

const EXAMPLE: &str = include_str!("../../www/examples/echo.luau");

#[wasm_bindgen_test]
async fn it_prints_what_it_says_in_order_and_in_time() {
    let page = Page::new();
    let script = EXAMPLE.replace("127.0.0.1:8080", SERVER);
    assert_ne!(script, EXAMPLE, "the example no longer has the address that is replaced here");
    let clock = StoppedClock::new();
    let began = page.seconds();
    page.run(&script).await;

    let mut expected = vec![(0, "WebSocket connected!".to_owned())];
    for second in 0..=10 {
        if second < 10 {
            let message = format!("{}Hello from Luau!", "Echo: ".repeat(second));
            expected.push((second, format!("Received:\t{message}")));
        } else {
            expected.push((second, "Closing connection...".to_owned()));
            expected.push((second, "WebSocket disconnected.".to_owned()));
        }
        eventually(|| page.texts().len() >= expected.len()).await;
        clock.advance(1.0);
        // The VM looks at the clock when it has something to do.
        page.run("").await;
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds since the script began")]
    let lines: Vec<(usize, String)> =
        page.lines().iter().map(|line| ((line.seconds - began).round() as usize, line.text.clone())).collect();
    assert_eq!(lines, expected);
    assert!(page.errors().is_empty());
}
