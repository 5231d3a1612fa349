//! Formatters, linters and type checkers. Each is one test.

use std::process::Command;

use crate::build::CHECKER;
use crate::config::Config;
use crate::layer::Layer;
use crate::luau_fixes;
use crate::package::PACKAGE;
use crate::setup::{FOR_WASM, HOST_COMPILER, NPM};
use crate::step::{Counts, Resource, Step};

/// The crates that are compiled for the web from this workspace, and linted for it too.
const WASM_CRATES: [&str; 5] = ["luau-websocket", "luau-runtime", "cxx-runtime", "luau-patches", "mlua-on-the-web"];

pub(crate) fn steps(config: &Config) -> Vec<Step<'_>> {
    let wasm = config.file.rust.targets.first().map_or("", String::as_str);
    let mut for_wasm = vec!["clippy", "--quiet", "--all-targets", "--release", "--target", wasm];
    for_wasm.extend(WASM_CRATES.iter().flat_map(|name| ["--package", name]));
    for_wasm.extend(["--", "-D", "warnings"]);
    let package = config.file.package.sources.as_str();
    let rustdoc = ["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"];
    vec![
        cargo(config, "rustfmt", &["fmt", "--all", "--check"]),
        npm(config, "biome", "biome", &["ci", "--error-on-warnings", "--colors=off"]),
        npm(config, "tsc for the package", "tsc", &["--noEmit", "--project", package]),
        npm(config, "tsc for the playground", "tsc", &["--project", "www"]).needs([PACKAGE, CHECKER.name]),
        npm(config, "tsc for tests and examples", "tsc", &["--noEmit"]).needs([PACKAGE]),
        cargo(config, "clippy", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
            .needs([HOST_COMPILER])
            .occupies(Resource::Compiler),
        cargo(config, "clippy for wasm", &for_wasm).needs(FOR_WASM).occupies(Resource::Compiler),
        luau_fixes::step(config),
        cargo(config, "rustdoc", &rustdoc).needs([HOST_COMPILER]).occupies(Resource::Compiler),
    ]
}

fn npm<'a>(config: &'a Config, name: &'static str, program: &'static str, args: &[&str]) -> Step<'a> {
    let command = move || Command::new(config.npm_program(program));
    check(config, name, command, args).needs([NPM])
}

fn cargo<'a>(config: &'a Config, name: &'static str, args: &[&str]) -> Step<'a> {
    let is_for_wasm = args.contains(&"--target");
    let command = move || {
        let mut cargo = Command::new("cargo");
        if is_for_wasm {
            cargo.env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
        }
        cargo
    };
    check(config, name, command, args)
}

fn check<'a>(
    config: &'a Config,
    name: &'static str,
    command: impl Fn() -> Command + Send + Sync + 'a,
    args: &[&str],
) -> Step<'a> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    Step::test(Layer::Lint, name, move |log| {
        let mut command = command();
        command.args(&args).current_dir(&config.root).env("RUSTDOCFLAGS", "-D warnings").env("NO_COLOR", "1");
        // Clippy compiles the browser tests, which have the address of their server compiled in. They do not run here.
        command.env("LUAU_TEST_SERVER", "127.0.0.1:0");
        Ok(Counts::check(log.try_run(&mut command)?))
    })
}
