//! `cargo xtask build`: makes the package with wasm-pack, and checks the module in it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::quietly;
use crate::config::Config;

pub(crate) fn run(config: &Config) -> Result<()> {
    let build = &config.file.build;
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack.args(["build", "--mode", "no-install", "--target", &build.target, "--out-dir"]).arg(&build.out_dir);
    match build.profile.as_str() {
        "release" => wasm_pack.arg("--release"),
        "dev" => wasm_pack.arg("--dev"),
        other => wasm_pack.args(["--profile", other]),
    };
    wasm_pack.arg("--no-default-features");
    if !build.features.is_empty() {
        wasm_pack.arg("--features").arg(build.features.join(","));
    }
    wasm_pack.current_dir(&config.root).env("PATH", config.path()?);
    quietly(config, "Building the package with wasm-pack", "2 minutes the first time", &mut wasm_pack)?;
    check_imports(config)
}

/// Fails when the finished module asks for something that wasm-bindgen's glue does not give it.
fn check_imports(config: &Config) -> Result<()> {
    let package = config.package();
    let mut modules = 0;
    for entry in fs::read_dir(&package).with_context(|| format!("cannot read {}", package.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        modules += 1;
        let foreign = cxx_runtime::imports::foreign(&fs::read(&path)?)?;
        if !foreign.is_empty() {
            let names: Vec<String> = foreign.iter().map(ToString::to_string).collect();
            bail!(
                "{} imports what no page has: {}. Some C or C++ code calls it; serve it in \
                 crates/cxx-runtime/src/system.rs, or leave that code out",
                path.display(),
                names.join(", ")
            );
        }
    }
    ensure!(modules > 0, "wasm-pack left no module in {}", package.display());
    Ok(())
}
