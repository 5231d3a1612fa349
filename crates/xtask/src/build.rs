//! Compiles crates for the web with wasm-pack.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::log::Log;
use crate::module::{self, without_names};
use crate::setup::FOR_WASM;
use crate::step::{Outcome, Resource, Step};

/// The step that compiles the module of the package.
pub(crate) const MODULE: &str = "module";

/// Inputs of every crate of the workspace, besides its own files.
const WORKSPACE: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "wasm-pack.toml", ".cargo", "crates/xtask/src/build.rs"];

/// The type checker of the playground.
pub(crate) const CHECKER: WasmCrate = WasmCrate {
    name: "checker",
    folder: "crates/checker",
    profile: "small",
    others: &["crates/luau-runtime/src/modules/path.rs", "types", "www/src/editor/standard.d.luau"],
};

/// Luau in Rust, a peer in the benchmarks that is no npm package.
pub(crate) const LUAUR: WasmCrate =
    WasmCrate { name: "luaur", folder: "crates/bench-luaur", profile: "peer", others: &[] };

pub(crate) fn steps(config: &Config) -> Vec<Step<'_>> {
    let inputs =
        [&WORKSPACE[..], &["src", "crates/luau-runtime", "crates/cxx-runtime", "crates/luau-patches", "crates/libc"]]
            .concat();
    vec![
        Step::make(MODULE, |log| compile_module(config, log))
            .needs(FOR_WASM)
            .occupies(Resource::Compiler)
            .stamp(&inputs, "target/wasm-pack/luau_bg.wasm"),
        CHECKER.step(config),
        LUAUR.step(config),
    ]
}

/// Returns the path of the module that wasm-pack makes. It still contains function names.
pub(crate) fn module(config: &Config) -> PathBuf {
    let build = &config.file.build;
    config.root.join(&build.out_dir).join(format!("{}_bg.wasm", build.out_name))
}

/// Returns the path of the glue that wasm-bindgen generates for the module.
pub(crate) fn glue(config: &Config) -> PathBuf {
    let build = &config.file.build;
    config.root.join(&build.out_dir).join(format!("{}.js", build.out_name))
}

fn compile_module(config: &Config, log: &mut Log) -> Result<Outcome> {
    let build = &config.file.build;
    let mut wasm_pack = wasm_pack(config)?;
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
    log.run(&mut wasm_pack)?;
    module::check_imports(&module(config))?;
    Ok(Outcome::Done)
}

/// Returns a `wasm-pack build` command that uses the tools that `setup` installed and writes no manifest for npm.
fn wasm_pack(config: &Config) -> Result<Command> {
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack.args(["build", "--mode", "no-install", "--no-pack"]);
    wasm_pack.current_dir(&config.root);
    wasm_pack.env("PATH", config.path()?).env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
    Ok(wasm_pack)
}

/// A crate that is compiled for the web, in addition to the package's own.
pub(crate) struct WasmCrate {
    /// The name of its step and of its files: `NAME.js` and `NAME_bg.wasm` in `target/NAME`.
    pub name: &'static str,
    pub folder: &'static str,
    pub profile: &'static str,
    /// Files outside of its folder that it includes.
    pub others: &'static [&'static str],
}

impl WasmCrate {
    fn step<'a>(&'a self, config: &'a Config) -> Step<'a> {
        let inputs = [&WORKSPACE[..], &[self.folder], self.others].concat();
        let output = format!("target/{0}/{0}_bg.wasm", self.name);
        Step::make(self.name, |log| self.compile(config, log))
            .needs(FOR_WASM)
            .occupies(Resource::Compiler)
            .stamp(&inputs, &output)
    }

    /// Compiles the crate without function names, which only debuggers need.
    fn compile(&self, config: &Config, log: &mut Log) -> Result<Outcome> {
        let out = config.root.join("target").join(self.name);
        let mut wasm_pack = wasm_pack(config)?;
        wasm_pack.args(["--no-opt", "--profile", self.profile, "--target", "web"]);
        wasm_pack.args(["--out-name", self.name, "--out-dir"]).arg(&out).arg(self.folder);
        log.run(&mut wasm_pack)?;
        let module = out.join(format!("{}_bg.wasm", self.name));
        let bytes = without_names(&module::read(&module)?)?;
        fs::write(&module, bytes).with_context(|| format!("cannot write {}", module.display()))?;
        Ok(Outcome::Done)
    }
}
