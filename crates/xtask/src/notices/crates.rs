//! The crates inside the module, and Luau.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::command::output;
use crate::config::Config;
use crate::notices::component::{Component, Text};

/// The crate with the sources of Luau. A build script compiles them, so this crate is not among the linked ones.
const LUAU: &str = "luau0-src";

/// Returns the components of the package's module.
pub(crate) fn components(config: &Config) -> Result<Vec<Component>> {
    let features = config.file.build.features.join(",");
    let metadata = metadata(config)?;
    let mut components = vec![luau(&metadata)?];
    components.extend(linked(config, &metadata, "luau-websocket", &features)?);
    Ok(components)
}

/// Returns the components of the type checker's module.
pub(crate) fn checker_components(config: &Config) -> Result<Vec<Component>> {
    linked(config, &metadata(config)?, "luau-checker", "")
}

fn metadata(config: &Config) -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(config.root.join("Cargo.toml"))
        .current_dir(&config.root)
        .other_options(["--filter-platform".to_owned(), config.wasm_target()?.to_owned()])
        .exec()
        .context("cargo could not list the crates")
}

/// Returns the linked crates, without the crates that only macros and build scripts need.
fn linked(config: &Config, metadata: &Metadata, root: &str, features: &str) -> Result<Vec<Component>> {
    let mut components = Vec::new();
    for title in titles(config, root, features)? {
        let package =
            metadata.packages.iter().find(|package| format!("{} v{}", package.name, package.version) == title);
        let package =
            package.with_context(|| format!("`cargo tree` names {title}, which `cargo metadata` does not"))?;
        // Crates of this repository come from no registry. The repository's own license covers them.
        if package.source.is_some() {
            components.push(component(package)?);
        }
    }
    Ok(components)
}

/// Returns the names and versions of the linked crates.
///
/// They come from `cargo tree`: `cargo metadata` also resolves features that only the rest of the workspace and its
/// tests request, and with them crates that are not in the module.
fn titles(config: &Config, root: &str, features: &str) -> Result<BTreeSet<String>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--package", root, "--edges", "normal,no-proc-macro", "--prefix", "none"]);
    cargo.args(["--target", config.wasm_target()?, "--no-default-features", "--features", features]);
    cargo.current_dir(&config.root);
    let tree = output(&mut cargo).context("`cargo tree` could not list the crates inside the module")?;
    // Each line begins like `serde v1.0.229`, and details may follow.
    let words = tree.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    Ok(words.collect())
}

fn luau(metadata: &Metadata) -> Result<Component> {
    let package = metadata.packages.iter().find(|package| package.name.as_str() == LUAU).with_context(|| {
        format!("the crate {LUAU} is missing: set the name of the crate with Luau's sources in crates/xtask/src/notices/crates.rs")
    })?;
    let crate_ = component(package)?;
    Ok(Component {
        name: "Luau".to_owned(),
        // The crate's version is like 0.22.0+luau740, for the release that Luau calls 0.740.
        version: match package.version.build.as_str().strip_prefix("luau") {
            Some(release) => format!("0.{release}"),
            None => crate_.version.clone(),
        },
        source: format!("https://luau.org, via the crate {}", crate_.title()),
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
        license: package.license.clone().unwrap_or_default(),
        source: package.repository.clone().or_else(|| package.homepage.clone()).unwrap_or_default(),
        authors: package.authors.clone(),
        texts,
    })
}
