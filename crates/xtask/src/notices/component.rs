//! A component inside the module, and its license.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The beginnings of license file names.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

#[derive(Debug)]
pub(crate) struct Component {
    pub name: String,
    pub version: String,
    /// The license, as an SPDX expression.
    pub license: String,
    /// The address of the source.
    pub source: String,
    pub authors: Vec<String>,
    pub texts: Vec<Text>,
}

/// A license file.
#[derive(Debug)]
pub(crate) struct Text {
    pub name: String,
    text: String,
}

impl Component {
    /// Fails if the license or the origin is unknown.
    pub(crate) fn check(&self) -> Result<()> {
        let has_origin = !self.source.is_empty() || !self.authors.is_empty();
        ensure!(
            !self.texts.is_empty() || (!self.license.is_empty() && has_origin),
            "{} has no license file, and names no license with its authors or an address: find out what it is, and add \
             it in crates/xtask/src/notices, or leave the component out of the module",
            self.title()
        );
        Ok(())
    }

    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// Returns the known facts besides the texts, as a list.
    pub(crate) fn facts(&self) -> String {
        let authors = if self.texts.is_empty() { self.authors.join(", ") } else { String::new() };
        let facts = [("License", &self.license), ("From", &self.source), ("By", &authors)];
        let known = facts.iter().filter(|(_, fact)| !fact.is_empty());
        known.flat_map(|(name, fact)| ["- ", name, ": ", fact, "\n"]).collect()
    }
}

impl Text {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the license {}", path.display()))?;
        Ok(Self::new(&name, &text))
    }

    /// Returns the license files in a folder, sorted by name.
    pub(crate) fn in_folder(folder: &Path) -> Result<Vec<Self>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().to_ascii_uppercase();
            if NAMES.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
                paths.push(entry.path());
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// Returns the words of the text. Two copies with the same words count as equal.
    pub(crate) fn words(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Returns the text for printing, without trailing whitespace.
    pub(crate) fn lines(&self) -> String {
        let lines: Vec<&str> = self.text.lines().map(str::trim_end).collect();
        lines.join("\n").trim_matches('\n').to_owned()
    }
}
