//! `cargo xtask setup`: installs missing tools, at the versions that `wasm-pack.toml` pins.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::output;
use crate::config::{Config, Engine, find_program};
use crate::log::Log;
use crate::runner;
use crate::step::{Outcome, Resource, Step, select};

/// The names of the steps, for the steps that depend on them.
pub(crate) const RUST_TARGETS: &str = "Rust targets";
pub(crate) const ZIG: &str = "ziglang";
pub(crate) const BINDGEN: &str = "wasm-bindgen-cli";
pub(crate) const WASM_PACK: &str = "wasm-pack";
pub(crate) const NPM: &str = "npm packages";
pub(crate) const HOST_COMPILER: &str = "C++ compiler";

/// The steps that a crate for the web needs before it can be compiled.
pub(crate) const FOR_WASM: [&str; 4] = [RUST_TARGETS, ZIG, BINDGEN, WASM_PACK];

/// Checks prerequisites that no step can install.
pub(crate) fn check_machine(config: &Config) -> Result<()> {
    check_place(config)?;
    check_node()?;
    check_bindgen_version(config)
}

/// Installs everything that `cargo xtask test --full` needs.
pub(crate) fn run(config: &Config) -> Result<()> {
    check_machine(config)?;
    let on_request = |step: &Step| config.engines().iter().any(|engine| engine.on_request && engine.name == step.name);
    runner::make(config, select(steps(config), |step| !on_request(step)))
}

pub(crate) fn steps(config: &Config) -> Vec<Step<'_>> {
    let mut steps = vec![
        Step::make(RUST_TARGETS, |log| rust_targets(config, log)),
        Step::make(ZIG, |log| zig(config, log)),
        cargo_tool_step(config, BINDGEN, "wasm-bindgen"),
        cargo_tool_step(config, WASM_PACK, WASM_PACK),
        Step::make(NPM, |log| npm_packages(config, log)),
        Step::make(HOST_COMPILER, host_compiler).occupies(Resource::PackageManager),
    ];
    for engine in config.engines() {
        let driver = &engine.driver;
        let is_pinned = config.file.tools.contains_key(driver);
        if is_pinned {
            steps.push(cargo_tool_step(config, driver, driver));
        }
        steps.push(
            Step::make(&engine.name, |log| install_browser(config, engine, log)).occupies(Resource::PackageManager),
        );
    }
    steps
}

fn cargo_tool_step<'a>(config: &'a Config, package: &'a str, program: &'a str) -> Step<'a> {
    Step::make(package, move |log| cargo_tool(config, package, program, log)).occupies(Resource::Compiler)
}

/// Checks the path of the clone: cc-rs splits the path of a compiler at spaces.
fn check_place(config: &Config) -> Result<()> {
    let root = config.root.to_string_lossy();
    ensure!(
        !root.contains(char::is_whitespace),
        "the path of this clone contains a space ({root}), and the C++ compiler can't be called from there: clone it to \
         a path without spaces"
    );
    Ok(())
}

/// The oldest supported version; `package.json` names it too.
const OLDEST_NODE: (u32, u32) = (20, 14);

fn check_node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let version = output(Command::new("node").arg("--version")).with_context(|| {
        format!(
            "Node is missing: install version {major}.{minor} or newer, from https://nodejs.org or your distribution"
        )
    })?;
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(|number| number.parse::<u32>().ok());
    ensure!(
        numbers.next().flatten().zip(numbers.next().flatten()) >= Some(OLDEST_NODE),
        "Node {} is too old: {major}.{minor} or newer is required",
        version.trim()
    );
    Ok(())
}

fn rust_targets(config: &Config, log: &mut Log) -> Result<Outcome> {
    let mut outcome = Outcome::UpToDate;
    for target in &config.file.rust.targets {
        let folder = output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
        if folder.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
            continue;
        }
        log.run(Command::new("rustup").args(["target", "add", target]))
            .with_context(|| format!("the Rust target {target} is missing: run `rustup target add {target}`"))?;
        outcome = Outcome::Done;
    }
    Ok(outcome)
}

fn zig(config: &Config, log: &mut Log) -> Result<Outcome> {
    let version = config.version("ziglang")?;
    let installed = output(Command::new(config.zig()).arg("version"));
    if installed.is_some_and(|installed| installed.trim() == version) {
        return Ok(Outcome::UpToDate);
    }
    let folder = config.tools().join("zig");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let python = find_program(["python3", "python"])
        .context("Python 3 is missing: install it; the C++ compiler for WebAssembly comes from PyPI")?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--target"]).arg(&folder);
    log.run(pip.arg(format!("ziglang=={version}")))
        .context("Python 3 with pip is required; on Debian: apt-get install python3-pip")?;
    Ok(Outcome::Done)
}

/// Checks that the crate wasm-bindgen and its command-line tool have the same version, which they require.
fn check_bindgen_version(config: &Config) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(serde::Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let lock: Lock = toml::from_str(&fs::read_to_string(config.root.join("Cargo.lock"))?)?;
    let locked = lock.package.iter().find(|package| package.name == "wasm-bindgen").map(|package| &package.version);
    let pinned = config.version("wasm-bindgen-cli")?;
    ensure!(
        locked.is_some_and(|locked| locked == pinned),
        "wasm-pack.toml pins wasm-bindgen-cli {pinned}, but Cargo.lock has wasm-bindgen {}: make them the same",
        locked.map_or("none", String::as_str)
    );
    Ok(())
}

fn cargo_tool(config: &Config, package: &str, program: &str, log: &mut Log) -> Result<Outcome> {
    let version = config.version(package)?;
    let installed = output(Command::new(config.tool(program)).arg("--version"));
    if installed.is_some_and(|installed| installed.split_whitespace().any(|word| word == version)) {
        return Ok(Outcome::UpToDate);
    }
    let mut cargo = Command::new("cargo");
    // Not `--locked`: a mirror of the registry may lag behind the lock file of the tool.
    cargo.args(["install", package, "--version", version, "--force", "--root"]).arg(config.tools());
    // The settings in .cargo/config.toml are only for this repository's own builds.
    cargo.current_dir(env::temp_dir());
    // The tools run for seconds and compile for minutes, so nothing is optimized, and shared dependencies are compiled
    // once.
    cargo
        .env("CARGO_TARGET_DIR", config.root.join("target/tools"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    log.run(&mut cargo)?;
    Ok(Outcome::Done)
}

fn npm_packages(config: &Config, log: &mut Log) -> Result<Outcome> {
    let lock = config.root.join("package-lock.json");
    let installed = config.root.join("node_modules/.package-lock.json");
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if time(&installed) >= time(&lock) {
        return Ok(Outcome::UpToDate);
    }
    let npm = find_program(["npm", "npm.cmd"]).context("npm is missing: it comes with Node")?;
    log.run(Command::new(npm).arg("ci").current_dir(&config.root))?;
    Ok(Outcome::Done)
}

/// Makes sure that there is a native compiler, because mlua is tested natively as well.
fn host_compiler(log: &mut Log) -> Result<Outcome> {
    if env::var_os("CXX").is_some() || find_program(["c++", "g++", "clang++", "cl"]).is_some() {
        return Ok(Outcome::UpToDate);
    }
    install_debian(&["g++".to_owned()], log)
        .context("a C++ compiler for this machine is missing; on Debian: apt-get install g++")
}

/// An installed browser for tests, and its driver.
#[derive(Debug)]
pub(crate) struct Browser {
    pub executable: PathBuf,
    pub driver: Option<PathBuf>,
}

fn install_browser(config: &Config, engine: &Engine, log: &mut Log) -> Result<Outcome> {
    let Err(missing) = find_browser(config, engine) else { return Ok(Outcome::UpToDate) };
    let outcome =
        install_debian(&engine.debian, log).with_context(|| format!("{} cannot be tested: {missing}", engine.name))?;
    find_browser(config, engine)?;
    Ok(outcome)
}

pub(crate) fn find_browser(config: &Config, engine: &Engine) -> Result<Browser> {
    let executable = find_program(engine.executables.iter().map(String::as_str))
        .with_context(|| format!("none of {} is on PATH", engine.executables.join(", ")))?;
    let pinned = Some(config.tool(&engine.driver)).filter(|tool| tool.is_file());
    let driver = pinned.or_else(|| find_program([engine.driver.as_str()]));
    // A pinned driver has its own step, which only some of the tests need.
    if driver.is_none() && !config.file.tools.contains_key(&engine.driver) {
        bail!("{} is not on PATH", engine.driver);
    }
    Ok(Browser { executable, driver })
}

fn install_debian(packages: &[String], log: &mut Log) -> Result<Outcome> {
    let list = packages.join(" ");
    let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !is_root || find_program(["apt-get"]).is_none() {
        bail!("install them with the package manager of this machine; on Debian, as root: apt-get install {list}");
    }
    log.run(Command::new("apt-get").arg("update"))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "--no-install-recommends"]).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    log.run(&mut install)?;
    Ok(Outcome::Done)
}
