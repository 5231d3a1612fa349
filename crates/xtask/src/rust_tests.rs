//! The tests of the crates: native, in Node and in browsers.

use std::process::Command;

use anyhow::{Context, Result};

use crate::config::{Config, Engine};
use crate::layer::Layer;
use crate::log::Log;
use crate::server::Server;
use crate::setup::{self, FOR_WASM, HOST_COMPILER};
use crate::step::{Counts, Outcome, Resource, Step};
use crate::tally::harness_counts;
use crate::test_options::Options;

/// The preferred port. It is compiled into the browser tests, so a stable one avoids rebuilds.
const PORT: u16 = 47_813;

/// The step that compiles the native tests.
const COMPILE_NATIVE: &str = "native tests, compiled";
/// The step that runs the native tests.
const NATIVE_TESTS: &str = "native tests";
/// The step that compiles the browser tests.
const COMPILE_BROWSER: &str = "browser tests, compiled";

/// The crates that are tested in Node: step names and folders.
const NODE_CRATES: [(&str, &str); 2] =
    [("C++ runtime in Node", "crates/cxx-runtime"), ("smallest crate in Node", "examples/mlua-on-the-web")];

pub(crate) fn steps<'a>(config: &'a Config, options: &'a Options) -> Vec<Step<'a>> {
    let mut steps = vec![
        Step::make(COMPILE_NATIVE, |log| {
            log.run(native(config).arg("--no-run"))?;
            Ok(Outcome::Done)
        })
        .needs([HOST_COMPILER])
        .occupies(Resource::Compiler),
        Step::test(Layer::Native, NATIVE_TESTS, |log| {
            run_harness(options, NATIVE_TESTS, log, native(config).arg("--"))
        })
        .needs([COMPILE_NATIVE])
        .occupies(Resource::Lane),
        Step::make(COMPILE_BROWSER, |log| compile_browser_tests(config, log))
            .needs(FOR_WASM)
            .occupies(Resource::Compiler),
    ];
    for (name, folder) in NODE_CRATES {
        let step = Step::test(Layer::Runtime, name, move |log| {
            let mut wasm_pack = wasm_pack(config, None)?;
            run_harness(options, name, log, wasm_pack.args(["--node", folder, "--"]))
        });
        steps.push(step.needs(FOR_WASM).occupies(Resource::Compiler));
    }
    let engines = if options.full { usize::MAX } else { 1 };
    for engine in options.engines(config).take(engines) {
        let name = format!("browser tests in {}", engine.name);
        let step = Step::test(Layer::Browser, name.clone(), move |log| in_browser(config, options, engine, &name, log));
        let driver = config.file.tools.contains_key(&engine.driver).then_some(engine.driver.as_str());
        steps.push(step.needs([COMPILE_BROWSER, engine.name.as_str()]).needs(driver).occupies(Resource::Lane));
    }
    steps
}

fn native(config: &Config) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--workspace", "--no-fail-fast", "--features", "cxx-runtime/imports"]);
    cargo.current_dir(&config.root);
    cargo
}

/// Returns a `wasm-pack test` command with the tools that `setup` installed, inside the command that the engine runs
/// under, if any.
fn wasm_pack(config: &Config, engine: Option<&Engine>) -> Result<Command> {
    let tool = config.tool("wasm-pack");
    let (program, args) = engine.map_or((tool.clone(), Vec::new()), |engine| engine.within(tool));
    let mut wasm_pack = Command::new(program);
    wasm_pack.args(args).args(["test", "--mode", "no-install", "--release"]).current_dir(&config.root);
    wasm_pack.env("PATH", config.path()?).env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
    Ok(wasm_pack)
}

/// Compiles what `wasm-pack test` would compile, so that the browser tests occupy a lane and not the compiler.
fn compile_browser_tests(config: &Config, log: &mut Log) -> Result<Outcome> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--tests", "--release", "--target", config.wasm_target()?]).current_dir(&config.root);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags()).env("LUAU_TEST_SERVER", address(PORT));
    log.run(&mut cargo)?;
    Ok(Outcome::Done)
}

fn in_browser(config: &Config, options: &Options, engine: &Engine, name: &str, log: &mut Log) -> Result<Counts> {
    let browser = setup::find_browser(config, engine)?;
    let driver =
        browser.driver.with_context(|| format!("{} is missing: `cargo xtask setup` installs it", engine.driver))?;
    let server = Server::start::<&str>(config, PORT, [])?;
    let mut wasm_pack = wasm_pack(config, Some(engine))?;
    // wasm-pack passes the arguments before the last `--` to the build, where cargo rejects a filter.
    wasm_pack.arg("--headless").args(&engine.wasm_pack).arg(driver).args(["--", "--test", "browser", "--"]);
    wasm_pack
        .env("WASM_BINDGEN_TEST_TIMEOUT", config.file.test.timeout.to_string())
        .env("LUAU_TEST_SERVER", address(server.port));
    run_harness(options, name, log, &mut wasm_pack)
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Runs tests whose harness takes a filter as the last argument and prints a summary, as cargo's does.
pub(crate) fn run_harness(options: &Options, name: &str, log: &mut Log, command: &mut Command) -> Result<Counts> {
    let succeeded = log.try_run(command.args(options.filter_within(name)))?;
    let (passed, failed) = harness_counts(&log.text());
    Ok(options.counts(Counts { passed, failed, summaries: Vec::new() }, succeeded))
}
