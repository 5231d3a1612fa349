//! `cargo xtask test`: every test there is, in layers, with one count at the end.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::command::watched;
use crate::config::Config;
use crate::server::Server;
use crate::tally::{Tally, harness_counts, node_counts};
use crate::{bench, build, fuzz, lint, setup, site};

/// A wish: the same port every time keeps the browser tests, which have it compiled in, from being compiled anew.
const PORT: u16 = 47_813;

pub(crate) fn run(config: &Config) -> Result<()> {
    setup::for_tests(config)?;
    let mut tally = Tally::default();
    native(config, &mut tally);
    fuzz::test(config, &mut tally);
    runtime(config, &mut tally);
    browser(config, &mut tally);
    package(config, &mut tally);
    tally.merge(lint::run(config));
    tally.print();
    tally.into_result()
}

fn native(config: &Config, tally: &mut Tally) {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--workspace", "--no-fail-fast", "--features", "cxx-runtime/imports"]);
    harness(config, tally, "native tests", "2 minutes the first time", &mut cargo);
}

/// What `crates/cxx-runtime` promises to any crate, under Node.
fn runtime(config: &Config, tally: &mut Tally) {
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack
        .args(["test", "--node", "--mode", "no-install", "--release", "crates/cxx-runtime"])
        .env("RUSTFLAGS", config.rust_flags());
    harness(config, tally, "tests of the C++ runtime", "1 minute the first time", &mut wasm_pack);
}

fn browser(config: &Config, tally: &mut Tally) {
    const NAME: &str = "browser tests";
    let test = &config.file.test;
    let (server, driver) = match (Server::start(config, PORT, None), setup::browser_paths(config)) {
        (Ok(server), Ok((_, driver))) => (server, driver),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{NAME}: {error:#}");
            tally.check(NAME, false);
            return;
        }
    };
    let mut wasm_pack = Command::new(config.tool("wasm-pack"));
    wasm_pack
        .args(["test", "--headless", "--mode", "no-install", "--release"])
        .arg(format!("--{}", test.browser))
        .arg(format!("--{}", test.driver))
        .arg(driver)
        .args(["--", "--test", "browser"])
        .env("RUSTFLAGS", config.rust_flags())
        .env("WASM_BINDGEN_TEST_TIMEOUT", test.timeout.to_string())
        .env("LUAU_TEST_SERVER", format!("127.0.0.1:{}", server.port));
    harness(config, tally, NAME, "3 minutes the first time", &mut wasm_pack);
}

/// The folders of the tests that run under Node, on the package: some in a browser, some in other runtimes.
const FOLDERS: [&str; 8] = [
    "tests/luau",
    "tests/www",
    "tests/api",
    "tests/convert",
    "tests/worker",
    "tests/package",
    "tests/readme",
    "tests/bench",
];

/// What the package promises, from scripts that test scripts to the packed tarball in other runtimes.
fn package(config: &Config, tally: &mut Tally) {
    const NAME: &str = "package tests";
    let built = build::run(config).and_then(|()| site::run(config)).and_then(|()| bench::native(config));
    let browser = match built.and_then(|()| setup::browser_paths(config)) {
        Ok((browser, _)) => browser,
        Err(error) => {
            eprintln!("{NAME}: {error:#}");
            tally.check(NAME, false);
            return;
        }
    };
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap"]).current_dir(&config.root).env("CHROMIUM", browser);
    let run = test_files(config).and_then(|files| watched(NAME, "4 minutes", node.args(files)));
    let (passed, failed, succeeded) = match run {
        Ok((succeeded, output)) => {
            let (passed, failed) = node_counts(&output);
            (passed, failed, succeeded)
        }
        Err(error) => {
            eprintln!("{NAME}: {error:#}");
            (0, 1, false)
        }
    };
    tally.add(NAME, passed, failed, succeeded);
}

/// The files themselves: what `node --test` makes of a folder or of a pattern differs from version to version.
fn test_files(config: &Config) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(config.root.join(folder))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".test.mjs") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn harness(config: &Config, tally: &mut Tally, name: &str, usually: &str, command: &mut Command) {
    command.current_dir(&config.root);
    let result = config.path().and_then(|path| watched(name, usually, command.env("PATH", path)));
    match result {
        Ok((succeeded, output)) => {
            let (passed, failed) = harness_counts(&output);
            tally.add(name, passed, failed, succeeded);
        }
        Err(error) => {
            eprintln!("{name}: {error:#}");
            tally.check(name, false);
        }
    }
}
