//! `cargo xtask build`: compiles the crate with wasm-pack, checks the module, and makes the package of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::quietly;
use crate::config::Config;
use crate::package::{self, without_names};

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
    let mut wasm_pack = building(config)?;
    wasm_pack.args(["--no-typescript", "--target", &build.target]);
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
    quietly(config, "Building the module with wasm-pack", "2 minutes the first time", &mut wasm_pack)?;
    let folder = config.root.join(&build.out_dir);
    let (module, glue) = (format!("{}_bg.wasm", build.out_name), format!("{}.js", build.out_name));
    Ok(Built { module: folder.join(module), glue: folder.join(glue) })
}

/// `wasm-pack build` as it is everywhere: with the tools that `setup` installed, and without a manifest for npm.
fn building(config: &Config) -> Result<Command> {
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack.args(["build", "--mode", "no-install", "--no-pack"]);
    wasm_pack.current_dir(&config.root);
    wasm_pack.env("PATH", config.path()?).env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
    Ok(wasm_pack)
}

/// Another crate that is compiled for the web, and is no package.
pub(crate) struct Other {
    /// Its folder under `crates`, and the one under `target` that it is built into.
    pub folder: &'static str,
    /// `NAME.js` and `NAME_bg.wasm` are made.
    pub name: &'static str,
    pub profile: &'static str,
    pub what: &'static str,
}

impl Other {
    /// Builds it, without the names of functions, which only debuggers want.
    pub(crate) fn build(&self, config: &Config) -> Result<()> {
        let out = config.root.join("target").join(self.folder);
        let mut wasm_pack = building(config)?;
        wasm_pack.args(["--no-opt", "--profile", self.profile, "--target", "web"]);
        wasm_pack.args(["--out-name", self.name, "--out-dir"]).arg(&out).arg(format!("crates/{}", self.folder));
        let what = format!("Building {} with wasm-pack", self.what);
        quietly(config, &what, "2 minutes the first time", &mut wasm_pack)?;
        let module = out.join(format!("{}_bg.wasm", self.name));
        let bytes = read_module(&module)?;
        fs::write(&module, without_names(&bytes)?).with_context(|| format!("cannot write {}", module.display()))
    }
}

fn read_module(module: &Path) -> Result<Vec<u8>> {
    fs::read(module).with_context(|| format!("wasm-pack left no module: {}", module.display()))
}

/// Fails when the finished module asks for something that wasm-bindgen's glue does not give it.
fn check_imports(module: &Path) -> Result<()> {
    let bytes = read_module(module)?;
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
