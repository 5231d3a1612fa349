//! Finds the test files that run in Node. The header of each says when and where it runs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::config::Config;
use crate::layer::Layer;

/// A test file, as its header describes it.
#[derive(Debug)]
pub(crate) struct TestFile {
    pub layer: Layer,
    /// The path, relative to the root.
    pub path: String,
    /// True if it only runs with `--full`.
    pub is_full: bool,
    pub quiet: Quiet,
    pub engines: EngineUse,
}

/// When a file needs a quiet machine, because it measures time or takes much of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Quiet {
    Never,
    InFull,
    Always,
}

/// The engines that a file runs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EngineUse {
    /// Only the main engine.
    Main,
    /// All engines, because the tested behavior depends on the engine.
    All,
    /// All engines with `--full`.
    AllInFull,
}

/// Returns all test files, in the order of the layers.
pub(crate) fn all(config: &Config) -> Result<Vec<TestFile>> {
    let mut files = Vec::new();
    for layer in Layer::ALL {
        for folder in layer.folders() {
            let folder = format!("tests/{folder}");
            let entries = fs::read_dir(config.root.join(&folder)).with_context(|| format!("cannot read {folder}"))?;
            let mut names: Vec<String> =
                entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
            names.retain(|name| name.ends_with(".test.mjs"));
            names.sort();
            for name in names {
                files.push(read(&config.root, layer, &format!("{folder}/{name}"))?);
            }
        }
    }
    Ok(files)
}

fn read(root: &Path, layer: Layer, path: &str) -> Result<TestFile> {
    let text = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    parse(layer, path, &text)
}

fn parse(layer: Layer, path: &str, text: &str) -> Result<TestFile> {
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim).collect();
    let says = |name: &str| header.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let is_full = match says("Tier:").map(|tier| tier.split([';', '.']).next().unwrap_or_default()) {
        Some("default") => false,
        Some("full") => true,
        _ => bail!("{path} names no tier: end its header with `// Tier: default.` or `// Tier: full.`"),
    };
    let quiet = match says("Needs:") {
        None => Quiet::Never,
        Some("a quiet machine with --full.") => Quiet::InFull,
        Some("a quiet machine.") => Quiet::Always,
        Some(other) => {
            bail!("{path} needs {other}, but only `a quiet machine.` and `a quiet machine with --full.` are allowed")
        }
    };
    let engines = match says("Engines:") {
        None => EngineUse::Main,
        Some("all.") => EngineUse::All,
        Some("all with --full.") => EngineUse::AllInFull,
        Some(other) => bail!("{path} runs in the engines {other}, but only `all.` and `all with --full.` are allowed"),
    };
    Ok(TestFile { layer, path: path.to_owned(), is_full, quiet, engines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_file_of_the_repository_names_its_tier() -> Result<()> {
        assert!(all(&Config::read()?)?.len() > 40);
        Ok(())
    }

    #[test]
    fn a_header_says_when_and_where_a_file_runs() -> Result<()> {
        let file = parse(Layer::Api, "a", "// A promise.\n//\n// Tier: default; --full adds more.\n\nimport 1;\n")?;
        assert!(!file.is_full && file.quiet == Quiet::Never && file.engines == EngineUse::Main);
        let header = "// A promise.\n//\n// Tier: full.\n// Needs: a quiet machine.\n// Engines: all with --full.\n";
        let file = parse(Layer::Api, "a", header)?;
        assert!(file.is_full && file.quiet == Quiet::Always && file.engines == EngineUse::AllInFull);
        let file = parse(Layer::Api, "a", "// Tier: default.\n// Needs: a quiet machine with --full.\n")?;
        assert_eq!(file.quiet, Quiet::InFull);
        for wrong in
            ["// A promise.\n", "// Tier: nightly.\n", "// Tier: full.\n// Engines: some.\n", "1;\n// Tier: full.\n"]
        {
            assert!(parse(Layer::Api, "a", wrong).is_err(), "{wrong}");
        }
        Ok(())
    }
}
