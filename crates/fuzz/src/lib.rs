//! Fuzzing of the native parts.
//!
//! A target turns arbitrary bytes into a case, and panics if the case shows a fault. The same targets serve a short run
//! with a fixed seed, which is one of the tests, and long runs with libFuzzer: `cargo xtask fuzz`.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "targets report faults by panicking"
)]

pub mod json;
pub mod scheduler;
pub mod scripts;

/// A fuzzing target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Runs one case.
    pub run: fn(&[u8]),
    /// The number of cases in the short run.
    pub cases: u32,
    /// The longest input of a case, in bytes.
    pub longest: usize,
}

/// All targets.
pub const TARGETS: [Target; 3] = [
    Target { name: "json", run: json::run, cases: 15_000, longest: 600 },
    Target { name: "scheduler", run: scheduler::run, cases: 600, longest: 1_200 },
    Target { name: "scripts", run: scripts::run, cases: 400, longest: 1_500 },
];
