//! Tests that need a browser: the VM as a page uses it, with real sockets to the server in `tests/server`.
//!
//! Tier: default.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

mod clock;
mod connect;
mod documentation_example;
mod errors;
mod libraries;
mod lifetime;
mod messages;
mod page;
mod results;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
