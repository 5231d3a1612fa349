//! `cargo xtask lint`: formats, lints and types. Each is one test.

use std::process::Command;

use crate::command::watched;
use crate::config::Config;
use crate::tally::Tally;

pub(crate) fn run(config: &Config) -> Tally {
    let mut tally = Tally::default();
    let wasm = config.file.rust.targets.first().map_or("", String::as_str);
    let npm = |program: &str| config.npm_program(program).to_string_lossy().into_owned();
    let (biome, tsc) = (npm("biome"), npm("tsc"));
    let checks: [(&str, &str, Vec<&str>); 8] = [
        ("rustfmt", "2 seconds", vec!["cargo", "fmt", "--all", "--check"]),
        (
            "clippy",
            "1 minute the first time",
            vec!["cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
        ),
        (
            "clippy for wasm",
            "1 minute the first time",
            vec![
                "cargo",
                "clippy",
                "--quiet",
                "-p",
                "luau-websocket",
                "-p",
                "cxx-runtime",
                "-p",
                "mlua-on-the-web",
                "--all-targets",
                "--release",
                "--target",
                wasm,
                "--",
                "-D",
                "warnings",
            ],
        ),
        (
            "rustdoc",
            "20 seconds the first time",
            vec!["cargo", "doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"],
        ),
        ("biome", "1 second", vec![&biome, "ci", "--error-on-warnings"]),
        ("tsc for the package", "2 seconds", vec![&tsc, "--noEmit", "--project", &config.file.package.sources]),
        ("tsc for the playground", "3 seconds", vec![&tsc, "--project", "www"]),
        ("tsc for all that uses it", "2 seconds", vec![&tsc, "--noEmit"]),
    ];
    for (name, usually, words) in checks {
        let Some((program, args)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(args).current_dir(&config.root).env("RUSTDOCFLAGS", "-D warnings").env("NO_COLOR", "1");
        // Clippy compiles the browser tests, which want to know their server; it is not asked for anything here.
        command.env("LUAU_TEST_SERVER", "127.0.0.1:0");
        if name == "clippy for wasm" {
            command.env("CARGO_ENCODED_RUSTFLAGS", config.rust_flags());
        }
        let passed = watched(name, usually, &mut command).is_ok_and(|(passed, _)| passed);
        tally.check(name, passed);
    }
    tally
}
