//! `cargo xtask bench`: ours and the peers side by side; what is measured, and how, is in `benches/`.

use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::build::Other;
use crate::command::{quietly, watched};
use crate::config::Config;
use crate::{build, setup};

/// Luau in Rust, a peer that is no npm package.
const LUAUR: Other = Other { folder: "bench-luaur", name: "luaur", profile: "peer", what: "luaur" };

pub(crate) fn run(config: &Config, words: &[String]) -> Result<()> {
    check(words)?;
    setup::for_tests(config)?;
    build::run(config)?;
    native(config)?;
    LUAUR.build(config)?;
    let browser = setup::browser(config, config.main_engine()?)?;
    let mut node = Command::new("node");
    node.arg("benches/main.mjs").args(words).current_dir(&config.root).env("CHROMIUM", browser.executable);
    let (succeeded, _) = watched("benchmarks", "12 minutes", &mut node)?;
    ensure!(succeeded, "the benchmarks could not be run to their end");
    Ok(())
}

/// Builds native Luau, which our module is compared with.
fn native(config: &Config) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "bench-native"]).current_dir(&config.root);
    quietly(config, "Building native Luau", "1 minute the first time", &mut cargo)
}

/// Whether the words are options of the runner, before anything is built for them.
fn check(words: &[String]) -> Result<()> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => {}
            "--rounds" if words.next().is_some_and(|count| count.parse::<u32>().is_ok_and(|count| count > 0)) => {}
            "--only" if words.next().is_some_and(|sections| sections.split(',').all(is_section)) => {}
            _ => bail!("bench takes only --rounds N, --only {} and --quick", SECTIONS.join("|")),
        }
    }
    Ok(())
}

/// What can be measured by itself.
const SECTIONS: [&str; 5] = ["vm", "start", "sockets", "runtime", "growth"];

fn is_section(name: &str) -> bool {
    SECTIONS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(words: &[&str]) -> bool {
        check(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn options_come_in_any_order_and_others_are_refused() {
        assert!(accepts(&[]));
        assert!(accepts(&["--only", "vm,start", "--quick", "--rounds", "3"]));
        for wrong in [&["--rounds"][..], &["--rounds", "0"], &["--only", "all"], &["--fast"]] {
            assert!(!accepts(wrong), "{wrong:?}");
        }
    }
}
