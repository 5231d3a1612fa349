//! Writes `NOTICES.md`: the third-party components inside a module, and their licenses.

mod component;
mod crates;
mod library;
mod toolchain;

use std::collections::HashMap;
use std::fmt::Write;

use anyhow::Result;

use crate::config::Config;
use crate::notices::component::Component;

const CHECKER_HEADING: &str = "\
# Notices of the type checker

`checker_bg.wasm` contains the following.
";

const PACKAGE_HEADING: &str = "\
# Notices

`luau.wasm` contains the following, besides luau-websocket itself, which is under the license in the file `LICENSE`; \
parts of wasm-bindgen are also in `glue.js`. A text that several components share is printed once.
";

/// Returns the notices of the package.
pub(crate) fn text(config: &Config) -> Result<String> {
    let mut components = crates::components(config)?;
    components.extend(toolchain::components(config)?);
    components.extend(library::components(config)?);
    render(PACKAGE_HEADING, &components)
}

/// Returns the notices of the playground's type checker.
pub(crate) fn checker_text(config: &Config) -> Result<String> {
    let mut components = crates::checker_components(config)?;
    components.extend(library::components(config)?);
    render(CHECKER_HEADING, &components)
}

fn render(head: &str, components: &[Component]) -> Result<String> {
    let mut text = head.to_owned();
    // Keyed by the words of a text, because copies of the same license differ in their line breaks.
    let mut printed: HashMap<String, String> = HashMap::new();
    for component in components {
        component.check()?;
        let title = component.title();
        write!(text, "\n## {title}\n\n{}", component.facts())?;
        for license in &component.texts {
            let words = license.words();
            if let Some(first) = printed.get(&words) {
                writeln!(text, "\n{}: the text of {first}.", license.name)?;
            } else {
                writeln!(text, "\n{}:\n\n````text\n{}\n````", license.name, license.lines())?;
                printed.insert(words, format!("{} of {title}", license.name));
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::component::Text;

    fn component(name: &str, texts: &[(&str, &str)]) -> Component {
        Component {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: "MIT".to_owned(),
            source: format!("https://example.org/{name}"),
            authors: Vec::new(),
            texts: texts.iter().map(|(name, text)| Text::new(name, text)).collect(),
        }
    }

    #[test]
    fn a_text_is_printed_once_however_its_lines_are_broken() {
        let first = component("first", &[("LICENSE", "Use it\r\nas you like.  \r\n\r\n")]);
        let second = component("second", &[("LICENSE-MIT", "Use it as\nyou like.")]);
        let text = render("", &[first, second]).expect("both have a license");
        let (_, sections) = text.split_once("## first").expect("a section");
        assert_eq!(
            sections,
            " 1.0.0\n\n- License: MIT\n- From: https://example.org/first\n\nLICENSE:\n\n````text\nUse it\nas you \
             like.\n````\n\n## second 1.0.0\n\n- License: MIT\n- From: https://example.org/second\n\nLICENSE-MIT: the \
             text of LICENSE of first 1.0.0.\n"
        );
    }

    #[test]
    fn without_a_text_there_must_be_authors_or_an_address() {
        let mut bare = component("bare", &[]);
        assert!(render("", &[bare]).is_ok());
        bare = Component { source: String::new(), ..component("bare", &[]) };
        let error = render("", &[bare]).expect_err("nothing says whose it is").to_string();
        assert!(error.contains("bare 1.0.0"), "{error}");
    }
}
