//! The package for npm, put together in `pkg/`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use wasmparser::{Parser, Payload};

use crate::build::Built;
use crate::command::quietly;
use crate::config::Config;
use crate::{glue, notices};

/// What stands for the version in `js/package.json`. The one that counts is the workspace's in `Cargo.toml`, which this
/// program has too.
const NO_VERSION: &str = "\"version\": \"0.0.0\"";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the package of what wasm-pack made and of what is in `js/`.
pub(crate) fn assemble(config: &Config, built: &Built) -> Result<()> {
    let package = config.package();
    let module = without_names(&read(&built.module)?)?;
    let glue = fs::read_to_string(&built.glue).with_context(|| format!("cannot read {}", built.glue.display()))?;
    empty(&package)?;
    write(&package, "luau.wasm", &module)?;
    write(&package, "inline-wasm.js", inline(&module)?)?;
    write(&package, "glue.js", glue::factory(&glue)?)?;
    typescript(config)?;
    copy_all(&config.sources(), &package, ".d.ts")?;
    copy_all(&config.sources(), &package, ".d.wasm.ts")?;
    copy_all(&config.root.join("types"), &package.join("types"), ".d.luau")?;
    for file in ["LICENSE", "README.md"] {
        write(&package, file, read(&config.root.join(file))?)?;
    }
    write(&package, "NOTICES.md", notices::text(config)?)?;
    // Last, so that a package which is not whole is none.
    write(&package, "package.json", manifest(config)?)
}

/// The module without the names of its functions, which are an eighth of what is transferred: only traces of engines show them, and
/// a panic of ours tells its place by itself. Not left out by the linker, since wasm-bindgen needs them.
pub(crate) fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    let mut kept = Vec::with_capacity(module.len());
    let mut start = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("wasm-pack made no WebAssembly module")?;
        let end = match &payload {
            Payload::Version { range, .. } => range.end,
            other => match other.as_section() {
                Some((_, range)) => range.end,
                // Part of a section that was dealt with as a whole.
                None => continue,
            },
        };
        let is_for_tools = matches!(&payload, Payload::CustomSection(section) if section.name() != "target_features");
        if !is_for_tools {
            kept.extend(module.get(start..end).unwrap_or_default());
        }
        start = end;
    }
    Ok(kept)
}

/// Empties the folder and leaves it where it is: a server or a shell may be in it.
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
fn typescript(config: &Config) -> Result<()> {
    let mut tsc = Command::new(config.npm_program("tsc"));
    tsc.arg("--project").arg(config.sources()).arg("--outDir").arg(config.package()).current_dir(&config.root);
    quietly(config, "Compiling the TypeScript of the package", "2 seconds", &mut tsc)
}

/// The module as text, for pages that may load nothing but scripts. Compressed, since base64 adds a third.
fn inline(module: &[u8]) -> Result<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(module)?;
    let text = STANDARD.encode(encoder.finish()?);
    Ok(format!(
        "// luau.wasm, compressed with gzip, as base64. Made by `cargo xtask build`.\nexport const wasm =\n  \"{text}\";\n"
    ))
}

/// `js/package.json` with the version. It is replaced as text: the order of the conditions in `exports` counts, and to
/// parse the file would lose it.
fn manifest(config: &Config) -> Result<String> {
    let path = config.sources().join("package.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    with_version(&text, VERSION).with_context(|| format!("{} is not as expected", path.display()))
}

fn with_version(manifest: &str, version: &str) -> Result<String> {
    let count = manifest.matches(NO_VERSION).count();
    ensure!(count == 1, "it must have `{NO_VERSION}` once: the version is that of the workspace in Cargo.toml");
    Ok(manifest.replace(NO_VERSION, &format!("\"version\": \"{version}\"")))
}

/// Copies the files of a folder whose names end so.
fn copy_all(from: &Path, to: &Path, ending: &str) -> Result<()> {
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { bail!("the name of {} is no text", entry.path().display()) };
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
