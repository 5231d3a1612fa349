//! `cargo xtask test`: every test there is, in layers, with one count at the end.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command::watched;
use crate::config::{Config, Engine, Engines};
use crate::server::Server;
use crate::setup::Browser;
use crate::tally::{Tally, harness_counts, node_counts};
use crate::{build, fuzz, lint, setup, site};

/// A wish: the same port every time keeps the browser tests, which have it compiled in, from being compiled anew.
const PORT: u16 = 47_813;

pub(crate) fn run(config: &Config, words: &[String]) -> Result<()> {
    let which = match words {
        [] => Engines::Usual,
        [option] if option == "--all-browsers" => Engines::All,
        _ => bail!("test takes only --all-browsers"),
    };
    setup::for_tests(config)?;
    // One that is missing and cannot be installed fails its own tests, not the others.
    let browsers: Vec<Tried> = config.engines(which).map(|engine| (engine, setup::browser(config, engine))).collect();
    let mut tally = Tally::default();
    native(config, &mut tally);
    fuzz::test(config, &mut tally);
    runtime(config, &mut tally);
    for browser in &browsers {
        in_browser(config, browser, &mut tally);
    }
    on_package(config, &browsers, which, &mut tally);
    tally.merge(lint::run(config));
    tally.print();
    tally.into_result()
}

/// A browser, if it is there.
type Tried<'a> = (&'a Engine, Result<Browser>);

fn native(config: &Config, tally: &mut Tally) {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--workspace", "--no-fail-fast", "--features", "cxx-runtime/imports"]);
    harness(config, tally, "native tests", "2 minutes the first time", &mut cargo);
}

/// What `crates/cxx-runtime` promises to any crate, and the smallest crate that uses it, under Node.
fn runtime(config: &Config, tally: &mut Tally) {
    for (name, folder) in [
        ("tests of the C++ runtime", "crates/cxx-runtime"),
        ("tests of the smallest crate that uses it", "examples/mlua-on-the-web"),
    ] {
        let mut wasm_pack = Command::new(config.tool("wasm-pack"));
        wasm_pack
            .args(["test", "--node", "--mode", "no-install", "--release", folder])
            .env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
        harness(config, tally, name, "1 minute the first time", &mut wasm_pack);
    }
}

/// The crate in a browser.
fn in_browser(config: &Config, (engine, browser): &Tried, tally: &mut Tally) {
    let name = format!("browser tests in {}", engine.name);
    let server = Server::start(config, PORT, None);
    let (server, browser) = match (&server, browser) {
        (Ok(server), Ok(browser)) => (server, browser),
        (Err(error), _) | (_, Err(error)) => return missed(&name, error, tally),
    };
    let (program, args) = engine.within(config.tool("wasm-pack"));
    let mut wasm_pack = Command::new(program);
    wasm_pack
        .args(args)
        .args(["test", "--headless", "--mode", "no-install", "--release"])
        .args(&engine.wasm_pack)
        .arg(&browser.driver)
        .args(["--", "--test", "browser"])
        .env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags())
        .env("WASM_BINDGEN_TEST_TIMEOUT", config.file.test.timeout.to_string())
        .env("LUAU_TEST_SERVER", format!("127.0.0.1:{}", server.port));
    harness(config, tally, &name, "3 minutes the first time", &mut wasm_pack);
}

/// Tests that run under Node, on the package.
struct Group {
    name: &'static str,
    /// How long they take.
    usually: &'static str,
    /// Their folders and files.
    places: &'static [&'static str],
    /// How many files run at a time. Most wait more than they compute.
    at_a_time: u8,
}

/// Those that measure how quick something is, or take what there is of the machine: nothing else runs beside them.
const TIMED: [&str; 8] = [
    "tests/api/bombs.test.mjs",
    "tests/api/frames.test.mjs",
    "tests/luau/hostile.test.mjs",
    "tests/luau/leaks.test.mjs",
    "tests/worker/output.test.mjs",
    "tests/www/editor.test.mjs",
    "tests/www/output.test.mjs",
    "tests/www/responsive.test.mjs",
];

/// What runs in one browser, or in none.
const IN_MAIN_ENGINE: [Group; 4] = [
    Group {
        name: "package tests",
        usually: "7 minutes",
        at_a_time: 2,
        places: &[
            "tests/luau",
            "tests/www",
            "tests/docs",
            "tests/api",
            "tests/convert",
            "tests/worker",
            "tests/package",
            "tests/readme",
        ],
    },
    Group { name: "package tests that measure time", usually: "5 minutes", places: &TIMED, at_a_time: 1 },
    Group { name: "soak in short", usually: "3 minutes", places: &["tests/soak"], at_a_time: 1 },
    Group { name: "benchmarks in short", usually: "1 minute", places: &["tests/bench"], at_a_time: 1 },
];

/// That part of it in which engines may differ.
const IN_OTHER_ENGINES: [Group; 1] = [Group {
    name: "package tests",
    usually: "3 minutes",
    places: &[
        "tests/luau/scripts.test.mjs",
        "tests/luau/types.test.mjs",
        "tests/luau/leaks.test.mjs",
        "tests/worker",
        "tests/worker/output.test.mjs",
        "tests/api/frames.test.mjs",
    ],
    at_a_time: 1,
}];

/// What of it takes long, and is run where all browsers are asked for.
const IN_ALL_ENGINES: Group =
    Group { name: "hostile scripts", usually: "3 minutes", places: &["tests/luau/hostile.test.mjs"], at_a_time: 1 };

/// What the package promises, from scripts that test scripts to the packed tarball in other runtimes; and again what
/// depends on the browser, in each further one.
fn on_package(config: &Config, browsers: &[Tried], which: Engines, tally: &mut Tally) {
    let built = build::run(config).and_then(|()| site::run(config));
    for (number, (engine, browser)) in browsers.iter().enumerate() {
        let is_main = number == 0;
        let groups = if is_main { &IN_MAIN_ENGINE[..] } else { &IN_OTHER_ENGINES[..] };
        let long = (!is_main && which == Engines::All).then_some(&IN_ALL_ENGINES);
        for group in groups.iter().chain(long) {
            let name = if is_main { group.name.to_owned() } else { format!("{} in {}", group.name, engine.name) };
            let browser = match (&built, browser) {
                (Ok(()), Ok(browser)) => browser,
                (Err(error), _) | (_, Err(error)) => {
                    missed(&name, error, tally);
                    continue;
                }
            };
            let (program, args) = engine.within("node".into());
            let mut node = Command::new(program);
            node.args(args).args(["--test", "--test-reporter=tap"]).current_dir(&config.root);
            node.arg(format!("--test-concurrency={}", group.at_a_time));
            // Playwright drives the main one; WebDriver, the others.
            let (driver, path) =
                if is_main { ("CHROMIUM", &browser.executable) } else { ("WEBDRIVER", &browser.driver) };
            node.env("ENGINE", &engine.name).env(driver, path);
            match test_files(config, group).and_then(|files| watched(&name, group.usually, node.args(files))) {
                Ok((succeeded, output)) => {
                    let (passed, failed) = node_counts(&output);
                    tally.hear(&output);
                    tally.add(&name, passed, failed, succeeded);
                }
                Err(error) => missed(&name, &error, tally),
            }
        }
    }
}

/// Tests that could not even begin.
fn missed(name: &str, error: &anyhow::Error, tally: &mut Tally) {
    eprintln!("\n== {name}: {error:#}");
    tally.check(name, false);
}

/// The files themselves: what `node --test` makes of a folder or of a pattern differs from version to version.
fn test_files(config: &Config, group: &Group) -> Result<Vec<PathBuf>> {
    let timed = TIMED.map(|place| config.root.join(place));
    let mut files = Vec::new();
    for place in group.places {
        let place = config.root.join(place);
        if place.is_file() {
            files.push(place);
            continue;
        }
        for entry in fs::read_dir(place)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".test.mjs") && !timed.contains(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
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
        Err(error) => missed(name, &error, tally),
    }
}
