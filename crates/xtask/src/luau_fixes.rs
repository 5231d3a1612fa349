//! Checks `luau-fixes.toml` against the pinned version of Luau.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::config::Config;
use crate::layer::Layer;
use crate::step::{Counts, Step};

const FILE: &str = "crates/xtask/luau-fixes.toml";

/// The file that tells hosts the version.
const VERSION: &str = "js/vm/exports.ts";

/// The file that sets flags.
const FLAGS: &str = "crates/luau-runtime/src/ffi/flags.rs";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixes {
    reviewed: u32,
    fault: Vec<Fault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    issue: Option<String>,
    what: String,
    release: Option<u32>,
    flag: Option<String>,
    here: Option<String>,
    test: String,
}

pub(crate) fn step(config: &Config) -> Step<'_> {
    Step::test(Layer::Lint, "fixes in Luau", |_| {
        check(&config.root).context(FILE)?;
        Ok(Counts::check(true))
    })
}

fn check(root: &Path) -> Result<()> {
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"));
    let fixes: Fixes = toml::from_str(&read(FILE)?)?;
    let pinned = luau_release(&read("Cargo.lock")?)?;
    ensure!(
        fixes.reviewed == pinned,
        "the pinned Luau is 0.{pinned}, but the file was last reviewed for 0.{}: read the newer release notes, and update it",
        fixes.reviewed
    );
    let constant = format!("LUAU_VERSION: string = \"0.{pinned}\"");
    ensure!(read(VERSION)?.contains(&constant), "the pinned Luau is 0.{pinned}, but {VERSION} has another version");
    let flags = read(FLAGS)?;
    for fault in &fixes.fault {
        fault.check(root, &flags, pinned).with_context(|| match &fault.issue {
            Some(issue) => format!("{} ({issue})", fault.what),
            None => fault.what.clone(),
        })?;
    }
    Ok(())
}

impl Fault {
    fn check(&self, root: &Path, flags: &str, pinned: u32) -> Result<()> {
        match (self.release, &self.flag, &self.here) {
            (Some(release), None, None) => ensure!(release <= pinned, "fixed in 0.{release}, but 0.{pinned} is pinned"),
            (None, Some(flag), None) => ensure!(flags.contains(&format!("\"{flag}\"")), "{FLAGS} does not set {flag}"),
            (None, None, Some(here)) => ensure!(root.join(here).is_file(), "there is no file {here}"),
            _ => bail!("needs exactly one of `release`, `flag` and `here`"),
        }
        ensure!(root.join(&self.test).is_file(), "there is no test {}", self.test);
        Ok(())
    }
}

/// Returns the release of Luau that a lock file pins, such as 740 for `0.22.0+luau740`.
fn luau_release(lock: &str) -> Result<u32> {
    let after_name = lock.split_once("name = \"luau0-src\"").context("Cargo.lock has no luau0-src")?.1;
    let version = after_name.split('"').nth(1).unwrap_or_default();
    let (_, release) = version.split_once("+luau").with_context(|| format!("no release of Luau in {version}"))?;
    release.parse().with_context(|| format!("no release of Luau in {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_comes_from_the_lock_file() {
        let lock = "[[package]]\nname = \"luau0-src\"\nversion = \"0.22.0+luau740\"\nsource = \"x\"\n";
        assert_eq!(luau_release(lock).unwrap(), 740);
        assert!(luau_release("").is_err());
    }

    #[test]
    fn a_fault_needs_one_reason_that_holds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fault = |reason: &str| {
            let fault: Fault = toml::from_str(&format!("what = \"x\"\ntest = \"Cargo.toml\"\n{reason}")).unwrap();
            fault.check(root, "[\"A\"]", 740).is_ok()
        };
        assert!(fault("release = 740"));
        assert!(fault("flag = \"A\""));
        assert!(fault("here = \"Cargo.toml\""));
        assert!(!fault("release = 741"));
        assert!(!fault("flag = \"B\""));
        assert!(!fault("here = \"nowhere\""));
        assert!(!fault(""));
        assert!(!fault("release = 740\nflag = \"A\""));
    }
}
