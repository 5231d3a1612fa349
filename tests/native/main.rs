//! Tests that need no browser: the order in which threads run, on a clock that the test controls.
//!
//! Tier: default.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

mod error_sources;
mod json;
mod scheduler;
mod signal;
mod slices;
mod task;
