//! The commands of this repository. `cargo xtask` alone lists them.

#![allow(clippy::disallowed_methods, reason = "these methods are disallowed only on wasm")]

mod bench;
mod build;
mod command;
mod config;
mod docs;
mod fuzz;
mod glue;
mod layer;
mod lint;
mod log;
mod luau_fixes;
mod module;
mod notices;
mod package;
mod plan;
mod release;
mod runner;
mod rust_tests;
mod schedule;
mod serve;
mod server;
mod setup;
mod site;
mod soak;
mod stamp;
mod step;
mod tally;
mod test;
mod test_files;
mod test_options;
mod times;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::build::CHECKER;
use crate::config::Config;
use crate::docs::DOCS;
use crate::package::PACKAGE;
use crate::site::PLAYGROUND;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  serve    builds everything and serves the playground with a local echo server
  test     runs the tests: cargo xtask test [LAYER…]
  dev      serves the playground from its sources with hot reload, next to the echo server
  build    builds the named targets and their dependencies: cargo xtask build [package|playground|checker|docs]
  bench    compares the package with its peers and writes benches/README.md
  soak     lets 200 connections talk to a server that treats them badly
  fuzz     looks for faults for a given time: cargo xtask fuzz [TARGET]
  release  checks and packs a release, and publishes nothing: cargo xtask release --dry-run
  setup    installs what the others need; they run it automatically

Options of test:
  --list           prints the layers with the time that each usually takes
  --filter TEXT    runs only test files with TEXT in their path or, if there are none, tests with TEXT in their name
  --full           adds the long tests, which run nightly
  --all-browsers   adds WebKitGTK to Chromium and Firefox

Options of serve and dev:
  --port N   the port to listen on

Options of bench:
  --rounds N        the number of measurements (5)
  --only SECTIONS   of vm, start, sockets, runtime, with commas; printed, not written
  --before FOLDER   another build of the package that takes part, to compare this one with; printed
  --quick           one round of a few workloads; printed, not written

Options of fuzz:
  TARGET         json, scheduler or scripts, with libFuzzer; convert or api, on the package. Default: the first three
  --seconds N    the total time, without building (300)
  --input FILE   runs a single input of a target again
  --seed N       for api: plays the program of a seed, or with --seconds all programs from it on
  --in WHERE     for api: node (the default), page or worker, both in Chromium

Options of soak:
  --minutes N   the duration (30)
  --seed N      the seed of the server's failures (random by default)
";

/// The targets of `build`, in the order of the help text.
const GOALS: [&str; 4] = [PACKAGE, PLAYGROUND, CHECKER.name, DOCS];

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
        ("serve", options) => serve::serve(&config, options),
        ("test", options) => test::run(&config, options),
        ("dev", options) => serve::dev(&config, options),
        ("build", goals) => build(&config, goals),
        ("bench", options) => bench::run(&config, options),
        ("soak", options) => soak::run(&config, options),
        ("fuzz", options) => fuzz::run(&config, options),
        ("release", options) => release::dry_run(&config, options),
        ("setup", []) => setup::run(&config),
        ("setup", [option, ..]) => bail!("setup has no option {option}"),
        _ => bail!("unknown command {command}\n\n{USAGE}"),
    }
}

fn build(config: &Config, goals: &[String]) -> Result<()> {
    if let Some(unknown) = goals.iter().find(|goal| !GOALS.contains(&goal.as_str())) {
        bail!("unknown target {unknown}; the targets are {}", GOALS.join(", "));
    }
    let named: Vec<&str> = goals.iter().map(String::as_str).collect();
    plan::make(config, if named.is_empty() { &GOALS } else { &named })
}
