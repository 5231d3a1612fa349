//! The type checker of the playground: `crates/checker`, compiled to a module of its own in `target/checker`.

use std::process::Command;

use anyhow::Result;

use crate::command::quietly;
use crate::config::Config;

/// Builds it with wasm-pack.
pub(crate) fn run(config: &Config) -> Result<()> {
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack
        .args(["build", "--mode", "no-install", "--no-pack", "--release", "--target", "web", "--out-name", "checker"])
        .arg("--out-dir")
        .arg(config.root.join("target/checker"))
        .arg("crates/checker")
        .current_dir(&config.root)
        .env("PATH", config.path()?)
        .env("RUSTFLAGS", config.rust_flags());
    quietly(config, "Building the type checker with wasm-pack", "3 minutes the first time", &mut wasm_pack)
}
