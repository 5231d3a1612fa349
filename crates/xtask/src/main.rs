//! The commands of this repository. `cargo xtask` alone lists them.

#![allow(clippy::disallowed_methods, reason = "what must not be called is so on wasm only")]

mod bench;
mod build;
mod command;
mod config;
mod docs;
mod fuzz;
mod glue;
mod lint;
mod notices;
mod package;
mod release;
mod serve;
mod server;
mod setup;
mod site;
mod soak;
mod tally;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::config::Config;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  serve   builds all and serves the playground, with a local echo server
  test    runs every test there is
  soak    lets 200 connections talk to a server that treats them badly
  bench   measures ours beside its peers, and writes benches/README.md
  build   makes the package in pkg/, and the playground with the documentation in target/site/
  docs    makes the package and the documentation alone
  lint    checks formats, lints and types
  fuzz    looks for faults for as long as it is told: cargo xtask fuzz [TARGET]
  release checks and packs a release, and publishes nothing: cargo xtask release --dry-run
  setup   installs what the others need; they call it themselves

Options of bench:
  --rounds N        how often everything is measured (5)
  --only SECTIONS   of vm, start, sockets, runtime, growth, with commas; printed, not written
  --quick           one round of a few workloads; printed, not written

Options of serve:
  --port N   the port to listen on (8080, or any other if it is taken)

Options of test:
  --all-browsers   tests in WebKitGTK too, beside Chromium and Firefox, and the hostile scripts in all

Options of fuzz:
  TARGET         json, scheduler or scripts, by libFuzzer; or convert, in Node. The first three by default
  --seconds N    how long it takes in all, besides building (300)
  --input FILE   runs one input of a target again

Options of soak:
  --minutes N   how long it takes (30)
  --seed N      what happens to which connection (another each time)
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    if matches!(command.as_str(), "" | "help" | "--help" | "-h") {
        print!("{USAGE}");
        return Ok(());
    }
    let config = Config::read()?;
    match (command.as_str(), rest.as_slice()) {
        ("setup", []) => setup::run(&config),
        ("build", []) => {
            setup::for_builds(&config)?;
            build::run(&config)?;
            site::run(&config)
        }
        ("docs", []) => {
            setup::for_builds(&config)?;
            build::run(&config)?;
            docs::run(&config)
        }
        ("serve", options) => serve::run(&config, options),
        ("bench", options) => bench::run(&config, options),
        ("soak", options) => soak::run(&config, options),
        ("test", options) => test::run(&config, options),
        ("fuzz", options) => fuzz::run(&config, options),
        ("release", options) => release::run(&config, options),
        ("lint", []) => {
            setup::for_tests(&config)?;
            // TypeScript is checked against what they make.
            build::run(&config)?;
            site::CHECKER.build(&config)?;
            let tally = lint::run(&config);
            tally.print();
            tally.into_result()
        }
        ("setup" | "build" | "docs" | "lint", [option, ..]) => {
            bail!("{command} has no option {option}\n\n{USAGE}")
        }
        _ => bail!("there is no command {command}\n\n{USAGE}"),
    }
}
