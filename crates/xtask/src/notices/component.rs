//! One thing inside the module, and its licence.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// How the names of files begin that are about licences.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

#[derive(Debug)]
pub(crate) struct Component {
    pub name: String,
    pub version: String,
    /// An SPDX expression.
    pub licence: String,
    /// An address.
    pub source: String,
    pub authors: Vec<String>,
    pub texts: Vec<Text>,
}

/// A file about a licence.
#[derive(Debug)]
pub(crate) struct Text {
    pub name: String,
    text: String,
}

impl Component {
    /// Fails when nothing says under which licence it is, or whose it is.
    pub(crate) fn check(&self) -> Result<()> {
        let has_origin = !self.source.is_empty() || !self.authors.is_empty();
        ensure!(
            !self.texts.is_empty() || (!self.licence.is_empty() && has_origin),
            "{} has no licence file, and names no licence with its authors or an address: find out what it is, and say \
             so in crates/xtask/src/notices, or leave it out of the module",
            self.title()
        );
        Ok(())
    }

    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// What is known besides the texts, as a list.
    pub(crate) fn facts(&self) -> String {
        let authors = if self.texts.is_empty() { self.authors.join(", ") } else { String::new() };
        let facts = [("Licence", &self.licence), ("From", &self.source), ("By", &authors)];
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
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the licence {}", path.display()))?;
        Ok(Self::new(&name, &text))
    }

    /// The files about licences in a folder, by name.
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

    /// What makes two copies of a text the same.
    pub(crate) fn words(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The text as it is printed, without what editors leave at the ends of lines.
    pub(crate) fn lines(&self) -> String {
        let lines: Vec<&str> = self.text.lines().map(str::trim_end).collect();
        lines.join("\n").trim_matches('\n').to_owned()
    }
}
