//! What needs no browser: the order in which threads run, by a clock that the test turns.
//!
//! Tier: default.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

mod json;
mod origins;
mod scheduler;
mod signal;
mod slices;
mod task;
mod world;
