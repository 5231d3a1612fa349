//! `cargo xtask release --dry-run`: everything in a release except publishing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::command::{output, run_streamed};
use crate::config::{Config, find_program};
use crate::docs::DOCS;
use crate::package::VERSION;
use crate::plan;
use crate::site::PLAYGROUND;

/// The crates that others could use, in the order they would be published.
const CRATES: [&str; 4] = ["cxx-runtime", "luau-patches", "luau-runtime", "luau-websocket"];

/// The reason why the crates cannot be published yet.
const STOPS: &str = "\
The crates cannot be published yet: on wasm32-unknown-unknown, mlua does not compile without the patched libc in
Cargo.toml. A patch only applies to its own workspace, and this one cannot be published, because the name is taken. So
users of these crates must patch libc as well. See CONTRIBUTING.md.";

pub(crate) fn dry_run(config: &Config, options: &[String]) -> Result<()> {
    ensure!(
        options.first().is_some_and(|option| option == "--dry-run") && options.len() == 1,
        "release requires --dry-run. Publishing is manual: see CONTRIBUTING.md"
    );
    check_versions(config)?;
    check_changelog(config)?;
    check_tree(config)?;
    println!("versions, changelog and working tree are ready for {VERSION}");

    plan::make(config, &[PLAYGROUND, DOCS])?;
    let tarball = pack(config)?;
    check_package(config, &tarball)?;
    println!("the package is {}", tarball.display());

    publish_crates(config)?;
    println!("{STOPS}");
    Ok(())
}

/// Checks that all crates have the same version, and depend on each other at that version.
fn check_versions(config: &Config) -> Result<()> {
    let metadata = metadata(config)?;
    let members: Vec<_> = metadata.workspace_packages();
    for package in &members {
        let is_ours = package.publish.as_ref().is_none_or(|registries| !registries.is_empty());
        ensure!(
            !is_ours || package.version.to_string() == VERSION,
            "{} has version {}, but the workspace has {VERSION}",
            package.name,
            package.version
        );
        for dependency in &package.dependencies {
            // Only members have a path.
            let is_member = dependency.path.is_some();
            let wanted = dependency.req.to_string();
            ensure!(
                !is_member || wanted == "*" || wanted == format!("^{VERSION}"),
                "{} depends on {} {wanted}, but the workspace has version {VERSION}",
                package.name,
                dependency.name
            );
        }
    }
    Ok(())
}

fn metadata(config: &Config) -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(config.root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo could not list the crates")
}

fn check_changelog(config: &Config) -> Result<()> {
    let text = fs::read_to_string(config.root.join("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
    let section = section_of(&text, VERSION).with_context(|| format!("CHANGELOG.md has no section [{VERSION}]"))?;
    ensure!(!section.trim().is_empty(), "CHANGELOG.md has no entries for {VERSION}");
    Ok(())
}

/// Returns the section of a version in a changelog.
fn section_of<'a>(changelog: &'a str, version: &str) -> Option<&'a str> {
    let start = changelog.find(&format!("\n## [{version}] - "))?;
    let (_, section) = changelog.get(start + 1..)?.split_once('\n')?;
    Some(section.split("\n## ").next().unwrap_or(section))
}

/// Checks that everything is committed.
fn check_tree(config: &Config) -> Result<()> {
    let mut git = Command::new("git");
    let changed = output(git.args(["status", "--porcelain"]).current_dir(&config.root))
        .context("git could not report the status")?;
    ensure!(changed.is_empty(), "there are uncommitted changes:\n{changed}");
    Ok(())
}

fn run(what: &str, usually: &str, command: &mut Command) -> Result<()> {
    let (succeeded, _) = run_streamed(what, usually, command)?;
    ensure!(succeeded, "{what}: {} failed", command.get_program().display());
    Ok(())
}

fn pack(config: &Config) -> Result<PathBuf> {
    let folder = config.root.join("target/release");
    fs::create_dir_all(&folder)?;
    let npm = find_program(["npm", "npm.cmd"]).context("npm is missing; it comes with Node")?;
    let mut npm = Command::new(npm);
    npm.arg("pack").arg(config.package()).arg("--pack-destination").arg(&folder).arg("--ignore-scripts");
    run("Packing the package", "2 seconds", npm.current_dir(&config.root))?;
    let tarball = folder.join(format!("luau-websocket-{VERSION}.tgz"));
    ensure!(tarball.is_file(), "npm did not create {}", tarball.display());
    Ok(tarball)
}

/// Runs the tests of the tarball and its types, which pack it themselves, and publint on this very file.
fn check_package(config: &Config, tarball: &Path) -> Result<()> {
    let mut node = Command::new("node");
    node.args(["--test", "tests/package/tarball.test.mjs", "tests/package/types.test.mjs"]).current_dir(&config.root);
    run("Checking the contents of the package and its types", "15 seconds", &mut node)?;
    let mut publint = Command::new(config.npm_program("publint"));
    publint.arg(tarball).arg("--strict").current_dir(&config.root);
    run("Checking the tarball with publint", "2 seconds", &mut publint)
}

/// Runs everything of `cargo publish` except the upload: packs the crates, compiles each against the packed ones before
/// it, and queries the registry.
fn publish_crates(config: &Config) -> Result<()> {
    let mut publish = Command::new("cargo");
    publish.args(["publish", "--dry-run"]).current_dir(&config.root);
    for name in CRATES {
        let mut list = Command::new("cargo");
        list.args(["package", "--list", "--package", name]).current_dir(&config.root);
        let files = output(&mut list).with_context(|| format!("cargo could not list the files of the crate {name}"))?;
        for needed in ["Cargo.toml", "README.md", "LICENSE", "src/lib.rs"] {
            if !files.lines().any(|file| file == needed) {
                bail!("the crate {name} would have no {needed}");
            }
        }
        publish.args(["--package", name]);
    }
    run("Publishing the crates (dry run)", "2 minutes", &mut publish)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2030-01-02\n\n### Added\n\n- More.\n\n## [1.1.0] - 2029-01-02\n";

    #[test]
    fn the_versions_of_this_workspace_agree() -> Result<()> {
        check_versions(&Config::read()?)
    }

    #[test]
    fn the_section_of_a_version_ends_at_the_next_one() {
        assert_eq!(section_of(CHANGELOG, "1.2.0"), Some("\n### Added\n\n- More.\n"));
        assert_eq!(section_of(CHANGELOG, "1.1.0"), Some(""));
    }

    #[test]
    fn a_version_without_a_section_has_none() {
        assert_eq!(section_of(CHANGELOG, "1.3.0"), None);
        assert_eq!(section_of(CHANGELOG, "1.2"), None);
    }
}
