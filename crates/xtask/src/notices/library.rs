//! Rust's standard library, with the crates that are built into it.
//!
//! The toolchain lists their licenses on one page, `COPYRIGHT-library.html`. Some distributions of Rust omit the page;
//! then only the library itself is listed, with its license and URL.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::output;
use crate::config::Config;
use crate::notices::component::{Component, Text};

/// The licenses of the library itself. Their texts are in a folder next to the page.
const LICENSES: [&str; 3] = ["MIT", "Apache-2.0", "Unicode-3.0"];

pub(crate) fn components(config: &Config) -> Result<Vec<Component>> {
    let folder = Path::new(&rustc(config, &["--print", "sysroot"])?).join("share/doc/rust");
    let texts = LICENSES.iter().map(|name| folder.join("licenses").join(format!("{name}.txt")));
    let texts: Result<Vec<Text>> = texts.filter(|path| path.is_file()).map(|path| Text::read(&path)).collect();
    let mut components = vec![Component {
        name: "The Rust standard library".to_owned(),
        version: release(config)?,
        license: "(MIT OR Apache-2.0) AND Unicode-3.0".to_owned(),
        source: "https://github.com/rust-lang/rust".to_owned(),
        authors: vec!["The Rust Project Developers (see https://thanks.rust-lang.org)".to_owned()],
        texts: texts?,
    }];
    let page = folder.join("COPYRIGHT-library.html");
    if page.is_file() {
        let page = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        components.extend(dependencies(&page, &built_in(config)?));
    }
    Ok(components)
}

/// Returns the release of the compiler, such as 1.95.0.
pub(crate) fn release(config: &Config) -> Result<String> {
    let version = rustc(config, &["--version"])?;
    version
        .split_whitespace()
        .nth(1)
        .map(str::to_owned)
        .with_context(|| format!("cannot parse the version of rustc: {version}"))
}

/// Returns the names of the crates in the library for our target, with underscores instead of hyphens.
fn built_in(config: &Config) -> Result<BTreeSet<String>> {
    let folder = PathBuf::from(rustc(config, &["--print", "target-libdir", "--target", config.wasm_target()?])?);
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let file = entry?.file_name();
        let file = file.to_string_lossy();
        let name = file.strip_suffix(".rlib").and_then(|file| file.strip_prefix("lib")?.rsplit_once('-'));
        names.extend(name.map(|(name, _)| name.to_owned()));
    }
    Ok(names)
}

/// Returns the crates on the page that are built in. The page lists the crates of all targets.
fn dependencies(page: &str, built_in: &BTreeSet<String>) -> Vec<Component> {
    let sections = page.split("<h3>").skip(1);
    sections
        .filter_map(|section| {
            let (title, section) = section.split_once("</h3>")?;
            // An emoji precedes the name.
            let (name, version) = name_and_version(title.trim_start_matches(|char: char| !char.is_ascii()).trim())?;
            built_in.contains(&name.replace('-', "_")).then(|| Component {
                name: name.to_owned(),
                version: version.to_owned(),
                license: between(section, "<b>License:</b> ", "</p>").unwrap_or_default(),
                source: format!("https://crates.io/crates/{name}, in the Rust standard library"),
                authors: between(section, "<b>Authors:</b> ", "</p>").into_iter().collect(),
                texts: section.split("<details>").skip(1).filter_map(text).collect(),
            })
        })
        .collect()
}

/// Splits titles like `rustc-demangle-0.1.27` or `wasi-0.11.1+wasi-snapshot-preview1`. The version begins with a digit.
fn name_and_version(title: &str) -> Option<(&str, &str)> {
    let hyphens = title.match_indices('-').map(|(place, _)| place);
    let mut parts = hyphens.filter_map(|place| Some((title.get(..place)?, title.get(place + 1..)?)));
    parts.find(|(_, version)| version.starts_with(|char: char| char.is_ascii_digit()))
}

fn text(details: &str) -> Option<Text> {
    Some(Text::new(&between(details, "<code>", "</code>")?, &between(details, "<pre>", "</pre>")?))
}

/// The entities for reserved characters on the page. Those for `&` are replaced last, because that could create new
/// entities.
const ENTITIES: [(&str, &str); 9] = [
    ("&#60;", "<"),
    ("&lt;", "<"),
    ("&#62;", ">"),
    ("&gt;", ">"),
    ("&#34;", "\""),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#38;", "&"),
    ("&amp;", "&"),
];

/// Returns the text between two tags.
fn between(html: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = html.split_once(start)?;
    let (inner, _) = rest.split_once(end)?;
    let text = ENTITIES.iter().fold(inner.to_owned(), |text, (entity, char)| text.replace(entity, char));
    Some(text.trim_matches('\n').to_owned())
}

fn rustc(config: &Config, args: &[&str]) -> Result<String> {
    let text = output(Command::new("rustc").args(args).current_dir(&config.root));
    Ok(text.with_context(|| format!("`rustc {}` failed", args.join(" ")))?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
<h3>The standard library</h3>
<h3>📦 rustc-demangle-0.1.27</h3>
    <p><b>Authors:</b> A &#60;a@example.org&#62;</p>
    <p><b>License:</b> MIT/Apache-2.0</p>
        <details>
            <summary><code>LICENSE-MIT</code></summary>
            <pre>
&#34;AS IS&#34; &#38; as it is
            </pre>
        </details>
<h3>📦 windows-link-0.2.1</h3>
    <p><b>License:</b> MIT</p>
";

    #[test]
    fn only_built_in_crates_are_read_from_the_page() {
        let found = dependencies(PAGE, &BTreeSet::from(["rustc_demangle".to_owned(), "std".to_owned()]));
        let titles: Vec<String> = found.iter().map(Component::title).collect();
        assert_eq!(titles, ["rustc-demangle 0.1.27"]);
        assert_eq!(found[0].license, "MIT/Apache-2.0");
        assert_eq!(found[0].texts[0].name, "LICENSE-MIT");
        assert_eq!(found[0].texts[0].lines(), "\"AS IS\" & as it is");
    }

    #[test]
    fn a_version_may_have_hyphens_too() {
        let wasi = name_and_version("wasi-0.11.1+wasi-snapshot-preview1");
        assert_eq!(wasi, Some(("wasi", "0.11.1+wasi-snapshot-preview1")));
        assert_eq!(name_and_version("rustc-demangle-0.1.27"), Some(("rustc-demangle", "0.1.27")));
    }
}
