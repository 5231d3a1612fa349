//! Assembles the npm package in `pkg/`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::build::{self, MODULE};
use crate::config::Config;
use crate::log::Log;
use crate::module::{self, without_names};
use crate::setup::NPM;
use crate::step::{Outcome, Step};
use crate::{glue, notices};

/// The step that assembles the package.
pub(crate) const PACKAGE: &str = "package";

/// The placeholder for the version in `js/package.json`. The real one is the workspace's, which this program shares.
const NO_VERSION: &str = "\"version\": \"0.0.0\"";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn step(config: &Config) -> Step<'_> {
    let inputs = [
        "js",
        "types",
        "LICENSE",
        "README.md",
        "Cargo.toml",
        "Cargo.lock",
        "package-lock.json",
        "wasm-pack.toml",
        "crates/xtask/src",
        "target/wasm-pack/luau.js",
        "target/wasm-pack/luau_bg.wasm",
    ];
    Step::make(PACKAGE, |log| assemble(config, log)).needs([MODULE, NPM]).stamp(&inputs, "pkg/package.json")
}

/// Assembles the package from the output of wasm-pack and from `js/`.
fn assemble(config: &Config, log: &mut Log) -> Result<Outcome> {
    let package = config.package();
    let module = without_names(&module::read(&build::module(config))?)?;
    let glue = build::glue(config);
    let glue = fs::read_to_string(&glue).with_context(|| format!("cannot read {}", glue.display()))?;
    empty(&package)?;
    write(&package, "luau.wasm", &module)?;
    write(&package, "inline-wasm.js", inline(&module)?)?;
    write(&package, "glue.js", glue::factory(&glue)?)?;
    typescript(config, log)?;
    copy_all(&config.sources(), &package, ".d.ts")?;
    copy_all(&config.sources(), &package, ".d.wasm.ts")?;
    copy_all(&config.root.join("types"), &package.join("types"), ".d.luau")?;
    for file in ["LICENSE", "README.md"] {
        write(&package, file, read(&config.root.join(file))?)?;
    }
    write(&package, "NOTICES.md", notices::text(config)?)?;
    // Written last, so that an incomplete package has no manifest.
    write(&package, "package.json", manifest(config)?)?;
    Ok(Outcome::Done)
}

/// Empties a folder but keeps it, because a server or a shell may be in it.
fn empty(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let removed = if entry.file_type()?.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// Compiles `js/*.ts` into the package.
fn typescript(config: &Config, log: &mut Log) -> Result<()> {
    let mut tsc = Command::new(config.npm_program("tsc"));
    tsc.arg("--project").arg(config.sources()).arg("--outDir").arg(config.package()).current_dir(&config.root);
    log.run(&mut tsc)
}

/// Returns the module as a script, for pages that may only load scripts. It is compressed, because base64 adds a third.
fn inline(module: &[u8]) -> Result<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(module)?;
    let text = STANDARD.encode(encoder.finish()?);
    Ok(format!(
        "// luau.wasm, compressed with gzip, as base64. Made by `cargo xtask build`.\nexport const wasm =\n  \"{text}\";\n"
    ))
}

/// Returns `js/package.json` with the version. The replacement is textual: parsing would lose the order of the
/// conditions in `exports`.
fn manifest(config: &Config) -> Result<String> {
    let path = config.sources().join("package.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    with_version(&text, VERSION).with_context(|| format!("{} has unexpected contents", path.display()))
}

fn with_version(manifest: &str, version: &str) -> Result<String> {
    let count = manifest.matches(NO_VERSION).count();
    ensure!(count == 1, "it must contain `{NO_VERSION}` once; the version comes from the workspace in Cargo.toml");
    Ok(manifest.replace(NO_VERSION, &format!("\"version\": \"{version}\"")))
}

/// Copies the files in a folder whose names end in `ending`.
fn copy_all(from: &Path, to: &Path, ending: &str) -> Result<()> {
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { bail!("the name of {} is not Unicode", entry.path().display()) };
        if name.ends_with(ending) {
            write(to, name, read(&entry.path())?)?;
            copied += 1;
        }
    }
    ensure!(copied > 0, "there is no *{ending} in {}", from.display());
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn the_manifest_gets_the_version_and_keeps_its_order() {
        let text = "{ \"version\": \"0.0.0\", \"exports\": { \"workerd\": 1, \"browser\": 2 } }";
        let expected = "{ \"version\": \"1.2.3\", \"exports\": { \"workerd\": 1, \"browser\": 2 } }";
        assert_eq!(with_version(text, "1.2.3").expect("it has the version once"), expected);
    }

    #[test]
    fn a_manifest_with_a_version_of_its_own_is_refused() {
        assert!(with_version("{ \"version\": \"0.1.0\" }", "1.2.3").is_err());
    }

    #[test]
    fn the_inline_module_is_the_module() {
        let module: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        let script = inline(&module).expect("bytes can be compressed");
        let text = script.split('"').nth(1).expect("a string in quotes");
        let mut bytes = Vec::new();
        let compressed = STANDARD.decode(text).expect("base64");
        GzDecoder::new(compressed.as_slice()).read_to_end(&mut bytes).expect("gzip");
        assert_eq!(bytes, module);
    }
}
