//! What needs no browser: the order in which threads run, by a clock that the test turns.

#![cfg(not(target_arch = "wasm32"))]

mod scheduler;
mod signal;
mod task;
mod world;
