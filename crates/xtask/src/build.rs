//! `cargo xtask build`: compiles the crate with wasm-pack, checks the module, and makes the package of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::quietly;
use crate::config::Config;
use crate::package;

/// What wasm-pack made.
#[derive(Debug)]
pub(crate) struct Built {
    pub module: PathBuf,
    pub glue: PathBuf,
}

pub(crate) fn run(config: &Config) -> Result<()> {
    let built = wasm_pack(config)?;
    check_imports(&built.module)?;
    package::assemble(config, &built)
}

fn wasm_pack(config: &Config) -> Result<Built> {
    let build = &config.file.build;
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack.args(["build", "--mode", "no-install", "--no-pack", "--no-typescript", "--target", &build.target]);
    wasm_pack.args(["--out-dir", &build.out_dir, "--out-name", &build.out_name]);
    match build.profile.as_str() {
        "release" => wasm_pack.arg("--release"),
        "dev" => wasm_pack.arg("--dev"),
        other => wasm_pack.args(["--profile", other]),
    };
    wasm_pack.arg("--no-default-features");
    if !build.features.is_empty() {
        wasm_pack.arg("--features").arg(build.features.join(","));
    }
    wasm_pack.current_dir(&config.root).env("PATH", config.path()?).env("RUSTFLAGS", config.rust_flags());
    quietly(config, "Building the module with wasm-pack", "2 minutes the first time", &mut wasm_pack)?;
    let folder = config.root.join(&build.out_dir);
    let (module, glue) = (format!("{}_bg.wasm", build.out_name), format!("{}.js", build.out_name));
    Ok(Built { module: folder.join(module), glue: folder.join(glue) })
}

/// Fails when the finished module asks for something that wasm-bindgen's glue does not give it.
fn check_imports(module: &Path) -> Result<()> {
    let bytes = fs::read(module).with_context(|| format!("wasm-pack left no module: {}", module.display()))?;
    let foreign = cxx_runtime::imports::foreign(&bytes)?;
    if !foreign.is_empty() {
        let names: Vec<String> = foreign.iter().map(ToString::to_string).collect();
        bail!(
            "{} imports what no page has: {}. Some C or C++ code calls it; serve it in \
             crates/cxx-runtime/src/system.rs, or leave that code out",
            module.display(),
            names.join(", ")
        );
    }
    Ok(())
}
