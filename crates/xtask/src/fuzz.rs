//! `cargo xtask fuzz`, and the test layer that looks for memory errors: the native tests and a short fuzzing run, with
//! Rust and C++ compiled for `AddressSanitizer`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{output, run_streamed};
use crate::config::Config;
use crate::layer::Layer;
use crate::log::Log;
use crate::package::PACKAGE;
use crate::setup::HOST_COMPILER;
use crate::step::{Counts, Outcome, Resource, Step};
use crate::tally::collect_summaries;
use crate::test_options::Options as TestOptions;
use crate::{plan, rust_tests, setup};

/// Flags for Luau's C++. They also turn on Luau's own checks: stacks move whenever they can, and the collector verifies what it
/// sees. GCC takes much longer with more optimization or debug information.
const SANITIZED_LUAU: &str = "-O1 -g1 -fsanitize=address -fno-omit-frame-pointer -DHARDSTACKTESTS=1 -DHARDMEMTESTS=1";
const SANITIZED_RUST: &str = "-Zsanitizer=address";

/// Coverage counters, which guide libFuzzer to new paths in the Rust code.
const GUIDED_RUST: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// The memory limit of a case. Scripts have a limit of their own, but `AddressSanitizer` keeps freed memory for a
/// while.
const MAX_MEMORY_MB: u32 = 2_048;

/// The default duration of a run.
const USUAL_SECONDS: u64 = 300;

/// A build of the fuzzer. It has its own target folder, because its flags differ from those of other builds.
#[derive(Clone)]
struct Build {
    /// The folder under `target`.
    folder: &'static str,
    rust_flags: String,
    is_sanitized: bool,
    target: String,
}

impl Build {
    fn new(folder: &'static str, flags: &str) -> Result<Self> {
        let version = output(Command::new("rustc").arg("-vV")).context("cannot run rustc")?;
        let target = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
        let is_sanitized = has_sanitizer(target);
        let rust_flags = if is_sanitized { format!("{SANITIZED_RUST} {flags}") } else { flags.to_owned() };
        Ok(Self { folder, rust_flags, is_sanitized, target: target.to_owned() })
    }

    /// Returns a cargo command with these flags. `--target` keeps them away from build scripts.
    fn cargo(&self, config: &Config, command: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args([command, "--profile", "fuzz", "--target", &self.target, "--target-dir"])
            .arg(config.root.join("target").join(self.folder))
            .current_dir(&config.root)
            .env("RUSTFLAGS", &self.rust_flags)
            // Allows unstable flags on the stable compiler, so that no second toolchain is needed.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("LUAU_TEST_COLLECT", "1");
        if self.is_sanitized {
            cargo.env("LUAU_CXXFLAGS", SANITIZED_LUAU);
        }
        cargo
    }
}

/// Returns true if Rust has the `AddressSanitizer` runtime for this target. On Linux it works together with that of
/// C++.
fn has_sanitizer(target: &str) -> bool {
    let folder = output(Command::new("rustc").args(["--print", "target-libdir"]));
    let has_runtime = |folder: &str| {
        let entries = fs::read_dir(Path::new(folder.trim())).ok()?;
        let mut names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.find(|name| name.ends_with("_rt.asan.a"))
    };
    target.ends_with("linux-gnu") && folder.as_deref().and_then(has_runtime).is_some()
}

/// The step that compiles with the sanitizer.
const SANITIZED: &str = "sanitized build";

/// Returns the steps of the sanitizer layer.
pub(crate) fn steps<'a>(config: &'a Config, options: &'a TestOptions) -> Result<Vec<Step<'a>>> {
    let build = Build::new("sanitized", "")?;
    let how = if build.is_sanitized { "under AddressSanitizer" } else { "without AddressSanitizer" };
    let (tests, fuzzer) = (build.clone(), build.clone());
    let name = format!("native tests {how}");
    Ok(vec![
        Step::make(SANITIZED, move |log| {
            log.run(native(&build, config).arg("--no-run"))?;
            log.run(build.cargo(config, "build").args(FUZZER))?;
            Ok(Outcome::Done)
        })
        .needs([HOST_COMPILER])
        .occupies(Resource::Compiler),
        Step::test(Layer::Sanitizer, name.clone(), move |log| {
            rust_tests::run_harness(options, &name, log, native(&tests, config).arg("--"))
        })
        .needs([SANITIZED])
        .occupies(Resource::Lane),
        Step::test(Layer::Sanitizer, format!("fuzzing {how}"), move |log| {
            fuzz_briefly(fuzzer.cargo(config, "run").env("TEST_TIER", options.tier()), log)
        })
        .needs([SANITIZED])
        .occupies(Resource::Lane),
    ])
}

const FUZZER: [&str; 5] = ["--quiet", "--package", "luau-fuzz", "--bin", "fuzz"];

fn native(build: &Build, config: &Config) -> Command {
    let mut cargo = build.cargo(config, "test");
    cargo.args(["--package", "luau-runtime", "--features", "testing", "--test", "native"]);
    cargo
}

fn fuzz_briefly(cargo: &mut Command, log: &mut Log) -> Result<Counts> {
    let succeeded = log.try_run(cargo.args(FUZZER))?;
    let summaries = collect_summaries(&log.text());
    // A run without a summary has not tried anything.
    let passed = succeeded && !summaries.is_empty();
    Ok(Counts { summaries, ..Counts::check(passed) })
}

/// The options of `cargo xtask fuzz`.
struct Options {
    target: Option<String>,
    seconds: Option<u64>,
    input: Option<PathBuf>,
    seed: Option<u32>,
    /// The place where programs run: in Node, in a page or in workers.
    place: Option<String>,
}

impl Options {
    fn read(words: &[String]) -> Result<Self> {
        let mut options = Self { target: None, seconds: None, input: None, seed: None, place: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seconds" => {
                    let number = words.next().and_then(|word| word.parse().ok());
                    options.seconds = Some(number.context("--seconds needs a number")?);
                }
                "--seed" => {
                    let number = words.next().and_then(|word| word.parse().ok());
                    options.seed = Some(number.context("--seed needs a number")?);
                }
                "--in" => options.place = Some(words.next().context("--in needs node, page or worker")?.clone()),
                "--input" => options.input = Some(words.next().context("--input needs a file")?.into()),
                word if word.starts_with('-') || options.target.is_some() => bail!("fuzz has no option {word}"),
                target => options.target = Some(target.to_owned()),
            }
        }
        if options.target.as_deref() != Some(API) {
            ensure!(options.seed.is_none() && options.place.is_none(), "only {API} takes --seed and --in");
        }
        Ok(options)
    }
}

/// Fuzzes with libFuzzer, or runs a single input again, such as a find.
pub(crate) fn run(config: &Config, words: &[String]) -> Result<()> {
    let options = Options::read(words)?;
    let seconds = options.seconds.unwrap_or(USUAL_SECONDS);
    match options.target.as_deref() {
        Some(API) => return api(config, &options),
        Some(CONVERT) => {
            ensure!(
                options.input.is_none(),
                "{CONVERT} takes no --input: it prints the failure and the seed to reproduce it"
            );
            return convert(config, seconds);
        }
        _ => {}
    }
    plan::make(config, &[HOST_COMPILER])?;
    let names = targets(config)?;
    if let Some(target) = &options.target {
        ensure!(
            names.contains(target),
            "unknown target {target}; the targets are: {}, {CONVERT}, {API}",
            names.join(", ")
        );
    }
    if let Some(input) = &options.input {
        let target = options.target.as_ref().context("--input needs a target before it")?;
        let mut cargo = Build::new("sanitized", "")?.cargo(config, "run");
        cargo.args(["--quiet", "--package", "luau-fuzz", "--bin", "fuzz", "--", target]).arg(input);
        let (succeeded, _) = run_streamed(&format!("{target}, on one input"), "1 second", &mut cargo)?;
        ensure!(succeeded, "{target} still fails on {}", input.display());
        return Ok(());
    }
    let build = Build::new("libfuzzer", GUIDED_RUST)?;
    let chosen: Vec<&String> =
        names.iter().filter(|name| options.target.as_ref().is_none_or(|it| it == *name)).collect();
    // Zero would mean forever.
    let each = (seconds / chosen.len().max(1) as u64).max(1);
    for target in chosen {
        let folder = config.root.join("target/finds").join(target);
        let corpus = folder.join("corpus");
        fs::create_dir_all(&corpus)?;
        let mut cargo = build.cargo(config, "run");
        cargo
            .args(["--quiet", "--package", "luau-fuzz", "--features", "libfuzzer", "--bin", "libfuzzer", "--"])
            .arg(&corpus)
            .arg(format!("-artifact_prefix={}/", folder.display()))
            .args([format!("-max_total_time={each}"), format!("-rss_limit_mb={MAX_MEMORY_MB}")])
            // mlua keeps only pointers to the ends of its counters, so live ones look leaked. The short run looks for leaks after
            // everything is closed.
            .args(["-timeout=20", "-print_final_stats=1", "-detect_leaks=0"])
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .env("FUZZ_TARGET", target);
        let (succeeded, _) = run_streamed(&format!("libFuzzer on {target}"), &format!("{each} seconds"), &mut cargo)?;
        let folder = folder.display();
        ensure!(succeeded, "{target} failed; see {folder}. Reproduce it with `cargo xtask fuzz {target} --input FILE`");
    }
    Ok(())
}

/// The target that needs JavaScript. A test of the package runs it for a given time.
const CONVERT: &str = "convert";

fn convert(config: &Config, seconds: u64) -> Result<()> {
    plan::make(config, &[PACKAGE])?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap", "tests/convert/fuzz.test.mjs"]).current_dir(&config.root);
    node.env("LUAU_FUZZ_SECONDS", seconds.to_string());
    let (succeeded, _) = run_streamed("properties of conversions", &format!("{seconds} seconds"), &mut node)?;
    ensure!(succeeded, "{CONVERT} failed; the seed and the path above reproduce it");
    Ok(())
}

/// The target that plays programs against the package. Scripts in `tests/fuzz` generate them and minimize failing ones.
const API: &str = "api";

fn api(config: &Config, options: &Options) -> Result<()> {
    let engine = config.main_engine()?;
    plan::make(config, &[PACKAGE, &engine.name])?;
    let browser = setup::find_browser(config, engine)?;
    let mut node = Command::new("node");
    node.arg("tests/fuzz/main.mjs").current_dir(&config.root).env("CHROMIUM", browser.executable);
    if let Some(input) = &options.input {
        node.arg("--input").arg(input);
    }
    if let Some(seed) = options.seed {
        node.args(["--seed", &seed.to_string()]);
    }
    if let Some(place) = &options.place {
        node.args(["--in", place]);
    }
    let is_one_program = options.input.is_some() || (options.seed.is_some() && options.seconds.is_none());
    let time = if is_one_program { 1 } else { options.seconds.unwrap_or(USUAL_SECONDS) };
    if !is_one_program {
        node.args(["--seconds", &time.to_string()]);
    }
    let (succeeded, _) = run_streamed("programs over the API", &format!("{time} seconds"), &mut node)?;
    ensure!(succeeded, "{API} failed; the command above reproduces it");
    Ok(())
}

/// Asks the fuzzer for the names of its targets.
fn targets(config: &Config) -> Result<Vec<String>> {
    let mut cargo = Build::new("sanitized", "")?.cargo(config, "run");
    cargo.args(["--quiet", "--package", "luau-fuzz", "--bin", "fuzz", "--", "--list"]);
    let (succeeded, output) = run_streamed("building the fuzzer", "3 minutes the first time", &mut cargo)?;
    ensure!(succeeded, "the fuzzer could not be built");
    Ok(output.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn seeds_and_places_are_only_for_the_target_that_has_them() -> Result<()> {
        let options = read(&["api", "--seed", "7", "--in", "page", "--seconds", "3"])?;
        assert_eq!((options.seed, options.place.as_deref(), options.seconds), (Some(7), Some("page"), Some(3)));
        for wrong in [&["--seed", "7"][..], &["json", "--in", "page"], &["api", "--seed", "x"], &["api", "json"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        Ok(())
    }
}
