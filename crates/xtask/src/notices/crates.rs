//! The crates inside the module, and Luau.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::command::output;
use crate::config::Config;
use crate::notices::component::{Component, Text};

/// The crate that has the sources of Luau; a build script compiles them, so it is not among those linked.
const LUAU: &str = "luau0-src";

/// What is inside the module of the package.
pub(crate) fn components(config: &Config) -> Result<Vec<Component>> {
    let features = config.file.build.features.join(",");
    let metadata = metadata(config)?;
    let mut components = vec![luau(&metadata)?];
    components.extend(linked(config, &metadata, "luau-websocket", &features)?);
    Ok(components)
}

/// What is inside the module of the type checker.
pub(crate) fn of_checker(config: &Config) -> Result<Vec<Component>> {
    linked(config, &metadata(config)?, "luau-checker", "")
}

fn metadata(config: &Config) -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(config.root.join("Cargo.toml"))
        .current_dir(&config.root)
        .other_options(["--filter-platform".to_owned(), config.wasm_target()?.to_owned()])
        .exec()
        .context("cargo cannot say which crates there are")
}

/// The crates that the linker gets, without those that macros and build scripts need.
fn linked(config: &Config, metadata: &Metadata, root: &str, features: &str) -> Result<Vec<Component>> {
    let mut components = Vec::new();
    for title in titles(config, root, features)? {
        let package =
            metadata.packages.iter().find(|package| format!("{} v{}", package.name, package.version) == title);
        let package =
            package.with_context(|| format!("`cargo tree` names {title}, which `cargo metadata` does not"))?;
        // Crates of this repository are under its own license. They come from no registry.
        if package.source.is_some() {
            components.push(component(package)?);
        }
    }
    Ok(components)
}

/// Their names and versions.
///
/// `cargo tree` says it: in what `cargo metadata` resolves, the crates also have the features that the rest of the
/// workspace and its tests ask for, and with them crates that are not in the module.
fn titles(config: &Config, root: &str, features: &str) -> Result<BTreeSet<String>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--package", root, "--edges", "normal,no-proc-macro", "--prefix", "none"]);
    cargo.args(["--target", config.wasm_target()?, "--no-default-features", "--features", features]);
    cargo.current_dir(&config.root);
    let tree = output(&mut cargo).context("`cargo tree` cannot say which crates are inside the module")?;
    // Such as `serde v1.0.229`, and what else cargo has to say of it.
    let words = tree.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    Ok(words.collect())
}

fn luau(metadata: &Metadata) -> Result<Component> {
    let package = metadata.packages.iter().find(|package| package.name.as_str() == LUAU).with_context(|| {
        format!("the crate {LUAU} is not there: name the one with Luau's sources in crates/xtask/src/notices/crates.rs")
    })?;
    let crate_ = component(package)?;
    Ok(Component {
        name: "Luau".to_owned(),
        // Such as 0.22.0+luau740; Luau calls that release 0.740.
        version: match package.version.build.as_str().strip_prefix("luau") {
            Some(release) => format!("0.{release}"),
            None => crate_.version.clone(),
        },
        source: format!("https://luau.org, by way of the crate {}", crate_.title()),
        ..crate_
    })
}

fn component(package: &Package) -> Result<Component> {
    let folder = package.manifest_path.parent().map_or(Path::new("."), |folder| folder.as_std_path());
    let mut texts = Text::in_folder(folder)?;
    if texts.is_empty()
        && let Some(file) = &package.license_file
    {
        texts.push(Text::read(&folder.join(file))?);
    }
    Ok(Component {
        name: package.name.to_string(),
        version: package.version.to_string(),
        licence: package.license.clone().unwrap_or_default(),
        source: package.repository.clone().or_else(|| package.homepage.clone()).unwrap_or_default(),
        authors: package.authors.clone(),
        texts,
    })
}
