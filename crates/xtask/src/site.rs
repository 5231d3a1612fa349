//! The playground, built as a static site from `www/`, `pkg/` and the type checker.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::checker;
use crate::command::quietly;
use crate::config::Config;

/// Where `www/vite.config.ts` puts the site.
pub(crate) fn folder(config: &Config) -> PathBuf {
    config.root.join("target/site")
}

/// Builds the site; the package has to be there.
pub(crate) fn run(config: &Config) -> Result<()> {
    checker::run(config)?;
    let mut vite = Command::new(config.npm_program("vite"));
    vite.args(["build", "--logLevel", "warn", "--config", "www/vite.config.ts"]).current_dir(&config.root);
    quietly(config, "Building the playground", "5 seconds, and 30 the first time", &mut vite)
}
