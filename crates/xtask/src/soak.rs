//! `cargo xtask soak`: runs the test in tests/soak for a given time.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::run_streamed;
use crate::config::Config;
use crate::package::PACKAGE;
use crate::{plan, setup};

/// The default duration.
const USUAL_MINUTES: u64 = 30;

pub(crate) fn run(config: &Config, words: &[String]) -> Result<()> {
    let Options { minutes, seed } = Options::read(words)?;
    let engine = config.main_engine()?;
    plan::make(config, &[PACKAGE, &engine.name])?;
    let browser = setup::find_browser(config, engine)?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", "tests/soak/soak.test.mjs"])
        .current_dir(&config.root)
        .env("CHROMIUM", browser.executable)
        .env("SOAK_SECONDS", (minutes * 60).to_string())
        .env("SOAK_SEED", seed.to_string());
    println!("The soak with --minutes {minutes} --seed {seed}");
    let (succeeded, _) = run_streamed("soak", &format!("{} minutes", minutes + 1), &mut node)?;
    ensure!(succeeded, "the soak test failed; `cargo xtask soak --seed {seed}` repeats it");
    Ok(())
}

/// The options of the command.
#[derive(Debug, PartialEq)]
struct Options {
    minutes: u64,
    seed: u32,
}

impl Options {
    fn read(words: &[String]) -> Result<Self> {
        let mut options = Self { minutes: USUAL_MINUTES, seed: std::process::id() };
        for pair in words.chunks(2) {
            match pair {
                [name, value] if name == "--minutes" => {
                    options.minutes = value.parse().with_context(|| format!("{value} is not a number of minutes"))?;
                    ensure!(options.minutes > 0, "a soak takes at least a minute");
                }
                [name, value] if name == "--seed" => {
                    options.seed = value.parse().with_context(|| format!("{value} is not a seed"))?;
                }
                _ => bail!("soak takes only --minutes N and --seed N"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_come_in_any_order_and_others_are_refused() -> Result<()> {
        assert_eq!(read(&["--seed", "7", "--minutes", "2"])?, Options { minutes: 2, seed: 7 });
        assert_eq!(read(&[])?.minutes, USUAL_MINUTES);
        for wrong in [&["--minutes"][..], &["--minutes", "0"], &["--minutes", "x"], &["--hours", "1"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        Ok(())
    }
}
