//! The playground, built as a static site from `www/`, `pkg/` and the type checker, with the documentation in it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build::Other;
use crate::command::quietly;
use crate::config::Config;
use crate::{docs, notices};

/// The type checker of the playground.
pub(crate) const CHECKER: Other =
    Other { folder: "checker", name: "checker", profile: "small", what: "the type checker" };

/// Where `www/vite.config.ts` puts the site.
pub(crate) fn folder(config: &Config) -> PathBuf {
    config.root.join("target/site")
}

/// Builds the site, with the licences of what is in it; the package has to be there.
pub(crate) fn run(config: &Config) -> Result<()> {
    CHECKER.build(config)?;
    let mut vite = Command::new(config.npm_program("vite"));
    vite.args(["build", "--logLevel", "warn", "--config", "www/vite.config.ts"]).current_dir(&config.root);
    quietly(config, "Building the playground", "5 seconds, and 30 the first time", &mut vite)?;
    let licences = folder(config).join("licences");
    for (name, text) in [
        ("package.md", fs::read_to_string(config.root.join(&config.file.package.out_dir).join("NOTICES.md"))?),
        ("checker.md", notices::text_of_checker(config)?),
    ] {
        let file = licences.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    // Last, since Vite empties the folder.
    docs::run(config)
}
