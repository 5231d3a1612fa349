//! A build for wasm without its tools fails with a message that says what to install.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::expect_used, reason = "tests may panic")]

use std::path::Path;
use std::process::Command;

/// Returns cargo's error output for a build with this setting.
fn complaint(name: &str, value: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--package", "cxx-runtime", "--target", "wasm32-unknown-unknown"])
        .current_dir(&root)
        // A separate folder, because other settings would make the real builds start over.
        .env("CARGO_TARGET_DIR", root.join("target/missing-tools"))
        .env(name, value)
        .output()
        .expect("cargo runs");
    assert!(!output.status.success(), "the build succeeded with {name}={value}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn without_a_compiler() {
    let complaint = complaint("CXX_wasm32_unknown_unknown", "/nowhere/zig c++");
    assert!(complaint.contains("cannot run zig at `/nowhere/zig`"), "{complaint}");
    assert!(complaint.contains("python3 -m pip install --target"), "{complaint}");
}

#[test]
fn with_a_compiler_that_is_no_zig() {
    let complaint = complaint("CXX_wasm32_unknown_unknown", env!("CARGO"));
    assert!(complaint.contains("this crate requires zig"), "{complaint}");
}

#[test]
fn with_an_empty_setting() {
    let complaint = complaint("CXX_wasm32_unknown_unknown", "");
    assert!(complaint.contains("CXX_wasm32_unknown_unknown is not set"), "{complaint}");
}
