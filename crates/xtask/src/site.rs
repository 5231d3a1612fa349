//! Builds the playground as a static site from `www/`, `pkg/` and the type checker.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build::CHECKER;
use crate::config::Config;
use crate::docs::DOCS_FOLDER;
use crate::log::Log;
use crate::notices;
use crate::package::PACKAGE;
use crate::setup::NPM;
use crate::step::{Outcome, Step};

/// The step that builds the playground.
pub(crate) const PLAYGROUND: &str = "playground";

pub(crate) fn step(config: &Config) -> Step<'_> {
    let inputs = ["www", "pkg", "target/checker", "package-lock.json", "Cargo.lock", "crates/xtask/src/site.rs"];
    Step::make(PLAYGROUND, |log| build(config, log))
        .needs([PACKAGE, CHECKER.name, NPM])
        .stamp(&inputs, "target/site/index.html")
}

/// Builds the site, including the licenses of its contents.
fn build(config: &Config, log: &mut Log) -> Result<Outcome> {
    empty(config)?;
    let mut vite = Command::new(config.npm_program("vite"));
    vite.args(["build", "--logLevel", "warn", "--config", "www/vite.config.ts"]).current_dir(&config.root);
    log.run(&mut vite)?;
    let licenses = config.site().join("licenses");
    for (name, text) in [
        ("package.md", fs::read_to_string(config.package().join("NOTICES.md"))?),
        ("checker.md", notices::checker_text(config)?),
    ] {
        let file = licenses.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(Outcome::Done)
}

/// Empties the folder of the site, except for the documentation, which has its own step. Vite would remove that too.
fn empty(config: &Config) -> Result<()> {
    let folder = config.site();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.ends_with(DOCS_FOLDER) {
            continue;
        }
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}
