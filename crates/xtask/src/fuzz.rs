//! `cargo xtask fuzz`, and the layer of the tests that looks for memory that is used wrongly: the native tests and a short run of
//! the fuzzer, on Rust and C++ compiled with `AddressSanitizer`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{output, watched};
use crate::config::Config;
use crate::tally::{Tally, harness_counts};
use crate::{build, setup};

/// What `AddressSanitizer` wants of the C++ of Luau, and what Luau has of its own for such runs: stacks move as often as they
/// could, and the collector checks what it sees. To optimize more, or to describe more for a debugger, GCC takes
/// much longer.
const SANITIZED_LUAU: &str = "-O1 -g1 -fsanitize=address -fno-omit-frame-pointer -DHARDSTACKTESTS=1 -DHARDMEMTESTS=1";
const SANITIZED_RUST: &str = "-Zsanitizer=address";

/// What libFuzzer wants of the Rust that it is to find its way through.
const GUIDED_RUST: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// How much memory a case may take, in megabytes: scripts have a limit of their own, and `AddressSanitizer` keeps what was freed.
const MEMORY: u32 = 2_048;

/// How long a run takes unless it is told otherwise, in seconds.
const USUAL: u64 = 300;

/// A build of the fuzzer, apart from all others since everything in it is compiled differently.
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

    /// Cargo, so that it does that. `--target` keeps the flags away from build scripts.
    fn cargo(&self, config: &Config, command: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args([command, "--profile", "fuzz", "--target", &self.target, "--target-dir"])
            .arg(config.root.join("target").join(self.folder))
            .current_dir(&config.root)
            .env("RUSTFLAGS", &self.rust_flags)
            // Unstable flags, and the compiler that everything else is built with: no other has to be installed for this.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("LUAU_TEST_COLLECT", "1");
        if self.is_sanitized {
            cargo.env("LUAU_CXXFLAGS", SANITIZED_LUAU);
        }
        cargo
    }
}

/// Rust brings the runtime of `AddressSanitizer` for some systems. On Linux it gets on with that of C++.
fn has_sanitizer(target: &str) -> bool {
    let folder = output(Command::new("rustc").args(["--print", "target-libdir"]));
    let has_runtime = |folder: &str| {
        let entries = fs::read_dir(Path::new(folder.trim())).ok()?;
        let mut names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.find(|name| name.ends_with("_rt.asan.a"))
    };
    target.ends_with("linux-gnu") && folder.as_deref().and_then(has_runtime).is_some()
}

/// The layer of the tests.
pub(crate) fn test(config: &Config, tally: &mut Tally) {
    const NAME: &str = "memory and fuzzing";
    let build = match Build::new("sanitized", "") {
        Ok(build) => build,
        Err(error) => {
            eprintln!("{NAME}: {error:#}");
            tally.check(NAME, false);
            return;
        }
    };
    let how = if build.is_sanitized { "under AddressSanitizer" } else { "no AddressSanitizer here" };
    let name = format!("native tests, all garbage collected after every turn, {how}");
    let mut cargo = build.cargo(config, "test");
    cargo.args(["--package", "luau-websocket", "--test", "native"]);
    match watched(&name, "25 seconds, 3 minutes the first time", &mut cargo) {
        Ok((succeeded, output)) => {
            let (passed, failed) = harness_counts(&output);
            tally.add(&name, passed, failed, succeeded);
        }
        Err(error) => {
            eprintln!("{name}: {error:#}");
            tally.check(&name, false);
        }
    }
    let name = format!("fuzzing, {how}");
    let mut cargo = build.cargo(config, "run");
    let run = watched(&name, "30 seconds", cargo.args(["--quiet", "--package", "luau-fuzz", "--bin", "fuzz"]));
    if let Ok((_, output)) = &run {
        tally.hear(output);
    }
    // A run that says nothing has tried nothing.
    tally.check(&name, run.is_ok_and(|(succeeded, output)| succeeded && output.starts_with("fuzz: ")));
}

/// What `cargo xtask fuzz` was asked for.
struct Options {
    target: Option<String>,
    seconds: u64,
    input: Option<PathBuf>,
}

impl Options {
    fn read(words: &[String]) -> Result<Self> {
        let mut options = Self { target: None, seconds: USUAL, input: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seconds" => {
                    let number = words.next().and_then(|word| word.parse().ok());
                    options.seconds = number.context("--seconds wants a number")?;
                }
                "--input" => options.input = Some(words.next().context("--input wants a file")?.into()),
                word if word.starts_with('-') || options.target.is_some() => bail!("fuzz has no option {word}"),
                target => options.target = Some(target.to_owned()),
            }
        }
        Ok(options)
    }
}

/// A long run, by libFuzzer; or one input again, which is what a find is.
pub(crate) fn run(config: &Config, words: &[String]) -> Result<()> {
    let options = Options::read(words)?;
    if options.target.as_deref() == Some(CONVERT) {
        ensure!(
            options.input.is_none(),
            "{CONVERT} takes no --input: it prints what fails, and the seed to see it again"
        );
        return convert(config, options.seconds);
    }
    setup::for_native(config)?;
    let names = targets(config)?;
    if let Some(target) = &options.target {
        ensure!(names.contains(target), "there is no target {target}; there are: {}, {CONVERT}", names.join(", "));
    }
    if let Some(input) = &options.input {
        let target = options.target.as_ref().context("--input wants a target before it")?;
        let mut cargo = Build::new("sanitized", "")?.cargo(config, "run");
        cargo.args(["--quiet", "--package", "luau-fuzz", "--bin", "fuzz", "--", target]).arg(input);
        let (succeeded, _) = watched(&format!("{target}, on one input"), "1 second", &mut cargo)?;
        ensure!(succeeded, "{target} still fails on {}", input.display());
        return Ok(());
    }
    let build = Build::new("libfuzzer", GUIDED_RUST)?;
    let chosen: Vec<&String> =
        names.iter().filter(|name| options.target.as_ref().is_none_or(|it| it == *name)).collect();
    // For libFuzzer zero is no end.
    let each = (options.seconds / chosen.len().max(1) as u64).max(1);
    for target in chosen {
        let folder = config.root.join("target/finds").join(target);
        let corpus = folder.join("corpus");
        fs::create_dir_all(&corpus)?;
        let mut cargo = build.cargo(config, "run");
        cargo
            .args(["--quiet", "--package", "luau-fuzz", "--features", "libfuzzer", "--bin", "libfuzzer", "--"])
            .arg(&corpus)
            .arg(format!("-artifact_prefix={}/", folder.display()))
            .args([format!("-max_total_time={each}"), format!("-rss_limit_mb={MEMORY}")])
            // mlua knows its counters by pointers to their ends, so those that are alive look lost. The short run looks for
            // leaks when nothing is alive any more.
            .args(["-timeout=20", "-print_final_stats=1", "-detect_leaks=0"])
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .env("FUZZ_TARGET", target);
        let (succeeded, _) = watched(&format!("libFuzzer on {target}"), &format!("{each} seconds"), &mut cargo)?;
        let folder = folder.display();
        ensure!(succeeded, "{target} has a find in {folder}: cargo xtask fuzz {target} --input FILE shows it again");
    }
    Ok(())
}

/// What needs JS, and so is fuzzed by one of the tests of the package, which is told to take its time.
const CONVERT: &str = "convert";

fn convert(config: &Config, seconds: u64) -> Result<()> {
    setup::for_builds(config)?;
    build::run(config)?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap", "tests/convert/fuzz.test.mjs"]).current_dir(&config.root);
    node.env("LUAU_FUZZ_SECONDS", seconds.to_string());
    let (succeeded, _) = watched("properties of conversions", &format!("{seconds} seconds"), &mut node)?;
    ensure!(succeeded, "{CONVERT} has a find: the seed and the path above show it again");
    Ok(())
}

/// The targets, as the fuzzer itself names them.
fn targets(config: &Config) -> Result<Vec<String>> {
    let mut cargo = Build::new("sanitized", "")?.cargo(config, "run");
    cargo.args(["--quiet", "--package", "luau-fuzz", "--bin", "fuzz", "--", "--list"]);
    let (succeeded, output) = watched("building the fuzzer", "3 minutes the first time", &mut cargo)?;
    ensure!(succeeded, "the fuzzer cannot be built");
    Ok(output.lines().map(str::to_owned).collect())
}
