//! The documentation, built as a static site from `docs/`, with rustdoc's beside it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::quietly;
use crate::config::Config;
use crate::site;

/// Where `docs/site/eleventy.config.mjs` puts the site: inside of the playground's, which links to it.
pub(crate) fn folder(config: &Config) -> PathBuf {
    site::folder(config).join("docs")
}

/// Builds the site; the package has to be there.
pub(crate) fn run(config: &Config) -> Result<()> {
    remove(&folder(config))?;
    let mut eleventy = Command::new(config.npm_program("eleventy"));
    eleventy.args(["--quiet", "--config=docs/site/eleventy.config.mjs"]).current_dir(&config.root);
    quietly(config, "Building the documentation", "5 seconds", &mut eleventy)?;
    rustdoc(config)
}

/// The documentation of the crates, for the target on which there is most of them.
fn rustdoc(config: &Config) -> Result<()> {
    let target = config.wasm_target()?;
    let made = config.root.join("target").join(target).join("doc");
    // Rustdoc's index is of all that was ever put there.
    remove(&made)?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["doc", "--no-deps", "--release", "--target", target, "-p", "luau-websocket", "-p", "cxx-runtime"])
        .args(["--features", "cxx-runtime/imports"])
        .current_dir(&config.root)
        .env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
    quietly(config, "Documenting the crates", "5 seconds, and 1 minute the first time", &mut cargo)?;
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
