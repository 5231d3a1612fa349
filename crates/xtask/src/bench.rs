//! `cargo xtask bench`: compares the package with its peers. `benches/` has the workloads and the method.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::build::LUAUR;
use crate::command::run_streamed;
use crate::config::Config;
use crate::package::PACKAGE;
use crate::{plan, setup};

pub(crate) fn run(config: &Config, words: &[String]) -> Result<()> {
    check(words)?;
    let engine = config.main_engine()?;
    plan::make(config, &[PACKAGE, LUAUR.name, &engine.name])?;
    native(config)?;
    let browser = setup::find_browser(config, engine)?;
    let mut node = Command::new("node");
    node.arg("benches/main.mjs").args(words).current_dir(&config.root).env("CHROMIUM", browser.executable);
    let (succeeded, _) = run_streamed("benchmarks", "12 minutes", &mut node)?;
    ensure!(succeeded, "the benchmarks did not finish");
    Ok(())
}

/// Builds native Luau, one of the peers.
fn native(config: &Config) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "bench-native"]).current_dir(&config.root);
    let (succeeded, _) = run_streamed("Building native Luau", "1 minute the first time", &mut cargo)?;
    ensure!(succeeded, "native Luau could not be built");
    Ok(())
}

/// Checks the options of the runner before anything is built.
fn check(words: &[String]) -> Result<()> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => {}
            "--rounds" if words.next().is_some_and(|count| count.parse::<u32>().is_ok_and(|count| count > 0)) => {}
            "--before" if words.next().is_some_and(|path| Path::new(path).join("luau.wasm").is_file()) => {}
            "--only" if words.next().is_some_and(|sections| sections.split(',').all(is_section)) => {}
            "--before" => bail!("--before takes the folder of a built package, which has luau.wasm"),
            _ => bail!("bench takes only --rounds N, --only {}, --before FOLDER and --quick", SECTIONS.join("|")),
        }
    }
    Ok(())
}

/// The sections that can be measured alone.
const SECTIONS: [&str; 4] = ["vm", "start", "sockets", "runtime"];

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
