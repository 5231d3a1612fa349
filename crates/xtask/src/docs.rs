//! Builds the documentation as a static site from `docs/`, together with rustdoc's.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::log::Log;
use crate::package::PACKAGE;
use crate::setup::{FOR_WASM, NPM};
use crate::step::{Outcome, Resource, Step};

/// The step that builds the documentation.
pub(crate) const DOCS: &str = "docs";

/// The folder of the documentation within the site, where the playground links to it.
pub(crate) const DOCS_FOLDER: &str = "docs";

pub(crate) fn step(config: &Config) -> Step<'_> {
    let inputs = [
        "docs",
        "pkg",
        "types",
        "src",
        "crates/cxx-runtime",
        "www/src",
        "www/services",
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "Cargo.toml",
        "Cargo.lock",
        "package-lock.json",
        "crates/xtask/src/docs.rs",
    ];
    Step::make(DOCS, |log| build(config, log))
        .needs(FOR_WASM)
        .needs([PACKAGE, NPM])
        .occupies(Resource::Compiler)
        .stamp(&inputs, "target/site/docs/api/luau_websocket/index.html")
}

fn folder(config: &Config) -> PathBuf {
    config.site().join(DOCS_FOLDER)
}

fn build(config: &Config, log: &mut Log) -> Result<Outcome> {
    remove(&folder(config))?;
    let mut eleventy = Command::new(config.npm_program("eleventy"));
    eleventy.args(["--quiet", "--config=docs/site/eleventy.config.mjs"]).current_dir(&config.root);
    log.run(&mut eleventy)?;
    rustdoc(config, log)?;
    Ok(Outcome::Done)
}

/// Documents the crates for the target that has the most items.
fn rustdoc(config: &Config, log: &mut Log) -> Result<()> {
    let target = config.wasm_target()?;
    let made = config.root.join("target").join(target).join("doc");
    // Otherwise rustdoc's index would list everything ever documented there.
    remove(&made)?;
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "doc",
            "--no-deps",
            "--release",
            "--target",
            target,
            "-p",
            "luau-websocket",
            "-p",
            "luau-runtime",
            "-p",
            "cxx-runtime",
        ])
        .args(["--features", "cxx-runtime/imports"])
        .current_dir(&config.root)
        .env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
    log.run(&mut cargo)?;
    let api = folder(config).join("api");
    fs::rename(&made, &api).with_context(|| format!("cannot move {} to {}", made.display(), api.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot empty {}", folder.display()))
        }
        _ => Ok(()),
    }
}
