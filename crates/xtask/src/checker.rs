//! The type checker of the playground: `crates/checker`, compiled to a module of its own in `target/checker`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::quietly;
use crate::config::Config;
use crate::package::without_names;

/// Builds it with wasm-pack.
pub(crate) fn run(config: &Config) -> Result<()> {
    let folder = config.root.join("target/checker");
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack
        .args(["build", "--mode", "no-install", "--no-pack", "--no-opt", "--profile", "small"])
        .args(["--target", "web", "--out-name", "checker", "--out-dir"])
        .arg(&folder)
        .arg("crates/checker")
        .current_dir(&config.root)
        .env("PATH", config.path()?)
        .env("RUSTFLAGS", config.rust_flags());
    quietly(config, "Building the type checker with wasm-pack", "2 minutes the first time", &mut wasm_pack)?;
    let module = folder.join("checker_bg.wasm");
    let bytes = fs::read(&module).with_context(|| format!("wasm-pack left no module: {}", module.display()))?;
    fs::write(&module, without_names(&bytes)?).with_context(|| format!("cannot write {}", module.display()))
}
