//! Fuzzing of what runs natively.
//!
//! A target takes any bytes, makes a case of them, and panics when the case shows a fault. The same targets serve a short run
//! with a fixed seed, which is one of the tests, and long runs by libFuzzer: `cargo xtask fuzz`.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic is how a target tells what it found"
)]

pub mod json;
pub mod scheduler;
pub mod scripts;

#[path = "../../../tests/native/world.rs"]
#[allow(dead_code, reason = "the native tests use more of it")]
mod world;

/// What can be fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Runs one case.
    pub run: fn(&[u8]),
    /// How many cases the short run tries.
    pub cases: u32,
    /// How long the input of a case is at most, in bytes.
    pub longest: usize,
}

/// All targets.
pub const TARGETS: [Target; 3] = [
    Target { name: "json", run: json::run, cases: 15_000, longest: 600 },
    Target { name: "scheduler", run: scheduler::run, cases: 600, longest: 1_200 },
    Target { name: "scripts", run: scripts::run, cases: 400, longest: 1_500 },
];
