//! `cargo xtask setup`: installs what is missing, at the versions that `wasm-pack.toml` pins. It does nothing the second
//! time.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{output, quietly};
use crate::config::{Config, Engine, Engines, find_program};

/// What it takes to build and to serve.
pub(crate) fn for_builds(config: &Config) -> Result<()> {
    check_place(config)?;
    check_node()?;
    rust_targets(config)?;
    zig(config)?;
    check_bindgen_version(config)?;
    cargo_tool(config, "wasm-bindgen-cli", "wasm-bindgen", "2 minutes")?;
    cargo_tool(config, "wasm-pack", "wasm-pack", "1 minute")?;
    npm_packages(config)
}

/// That, and what it takes to test, but for the browsers.
pub(crate) fn for_tests(config: &Config) -> Result<()> {
    for_builds(config)?;
    host_compiler(config)
}

/// All that `cargo xtask test` takes.
pub(crate) fn run(config: &Config) -> Result<()> {
    for_tests(config)?;
    for engine in config.engines(Engines::Usual) {
        browser(config, engine)?;
    }
    Ok(())
}

/// What it takes to build and run natively.
pub(crate) fn for_native(config: &Config) -> Result<()> {
    check_place(config)?;
    host_compiler(config)
}

/// cc-rs takes a compiler that is more than one word apart at its spaces.
fn check_place(config: &Config) -> Result<()> {
    let root = config.root.to_string_lossy();
    ensure!(
        !root.contains(char::is_whitespace),
        "the path of this clone has a space in it ({root}), and the C++ compiler cannot be called then: clone it to a \
         path without spaces"
    );
    Ok(())
}

/// The first one that runs several files of tests at a time, as often as it is told to.
const OLDEST_NODE: (u32, u32) = (20, 10);

fn check_node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let version = output(Command::new("node").arg("--version")).with_context(|| {
        format!(
            "there is no Node: install version {major}.{minor} or newer, from https://nodejs.org or your distribution"
        )
    })?;
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(|number| number.parse::<u32>().ok());
    ensure!(
        numbers.next().flatten().zip(numbers.next().flatten()) >= Some(OLDEST_NODE),
        "Node is version {}, and {major}.{minor} or newer is needed",
        version.trim()
    );
    Ok(())
}

fn rust_targets(config: &Config) -> Result<()> {
    for target in &config.file.rust.targets {
        let folder = output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
        if folder.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
            continue;
        }
        let mut rustup = Command::new("rustup");
        quietly(
            config,
            &format!("Adding the Rust target {target}"),
            "10 seconds",
            rustup.args(["target", "add", target]),
        )
        .with_context(|| format!("the Rust target {target} is missing: run `rustup target add {target}`"))?;
    }
    Ok(())
}

fn zig(config: &Config) -> Result<()> {
    let version = config.version("ziglang")?;
    let installed = output(Command::new(config.zig()).arg("version"));
    if installed.is_some_and(|installed| installed.trim() == version) {
        return Ok(());
    }
    let folder = config.tools().join("zig");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let python = find_program(["python3", "python"])
        .context("there is no Python 3: install it, since the C++ compiler comes from PyPI")?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--target"]).arg(&folder);
    quietly(
        config,
        &format!("Installing the C++ compiler, ziglang {version}, from PyPI"),
        "30 seconds",
        pip.arg(format!("ziglang=={version}")),
    )
    .context("Python 3 with pip is needed; on Debian: apt-get install python3-pip")
}

/// The crate and the command-line tool only work together at the very same version.
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
        "wasm-pack.toml pins wasm-bindgen-cli {pinned}, and Cargo.lock has wasm-bindgen {}: make them the same",
        locked.map_or("none", String::as_str)
    );
    Ok(())
}

fn cargo_tool(config: &Config, package: &str, program: &str, usually: &str) -> Result<()> {
    let version = config.version(package)?;
    let installed = output(Command::new(config.tool(program)).arg("--version"));
    if installed.is_some_and(|installed| installed.split_whitespace().any(|word| word == version)) {
        return Ok(());
    }
    let mut cargo = Command::new("cargo");
    // Not `--locked`: a mirror of the registry may lag behind the lock file of the tool.
    cargo.args(["install", package, "--version", version, "--force", "--root"]).arg(config.tools());
    // The settings in .cargo/config.toml are for this repository's own builds.
    cargo.current_dir(env::temp_dir());
    // They run for seconds and are compiled for minutes: nothing is optimized, and what several of them use is compiled once.
    cargo
        .env("CARGO_TARGET_DIR", config.root.join("target/tools"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    quietly(config, &format!("Installing {package} {version} with cargo"), usually, &mut cargo)
}

fn npm_packages(config: &Config) -> Result<()> {
    let lock = config.root.join("package-lock.json");
    let installed = config.root.join("node_modules/.package-lock.json");
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if time(&installed) >= time(&lock) {
        return Ok(());
    }
    let npm = find_program(["npm", "npm.cmd"]).context("there is no npm: it comes with Node")?;
    let mut npm = Command::new(npm);
    quietly(config, "Installing the npm packages", "30 seconds", npm.arg("ci").current_dir(&config.root))
}

/// mlua is tested natively too, with the compiler of the machine.
fn host_compiler(config: &Config) -> Result<()> {
    if env::var_os("CXX").is_some() || find_program(["c++", "g++", "clang++", "cl"]).is_some() {
        return Ok(());
    }
    install_debian(config, &["g++".to_owned()])
        .context("a C++ compiler for this machine is missing; on Debian: apt-get install g++")
}

/// A browser of the tests and its driver, as found.
#[derive(Debug)]
pub(crate) struct Browser {
    pub executable: PathBuf,
    pub driver: PathBuf,
}

/// Installs a browser and its driver where they are missing.
pub(crate) fn browser(config: &Config, engine: &Engine) -> Result<Browser> {
    if config.file.tools.contains_key(&engine.driver) {
        cargo_tool(config, &engine.driver, &engine.driver, "1 minute")?;
    }
    find_browser(config, engine).or_else(|missing| {
        install_debian(config, &engine.debian)
            .with_context(|| format!("{} cannot be tested, since {missing}", engine.name))?;
        find_browser(config, engine)
    })
}

fn find_browser(config: &Config, engine: &Engine) -> Result<Browser> {
    let names = |list: &[String]| list.join(", ");
    let executable = find_program(engine.executables.iter().map(String::as_str))
        .with_context(|| format!("none of {} is on PATH", names(&engine.executables)))?;
    let driver = Some(config.tool(&engine.driver)).filter(|tool| tool.is_file());
    let driver = driver.or_else(|| find_program([engine.driver.as_str()]));
    Ok(Browser { executable, driver: driver.with_context(|| format!("{} is not on PATH", engine.driver))? })
}

fn install_debian(config: &Config, packages: &[String]) -> Result<()> {
    let list = packages.join(" ");
    let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !is_root || find_program(["apt-get"]).is_none() {
        bail!("install them with the package manager of this machine; on Debian, as root: apt-get install {list}");
    }
    let mut update = Command::new("apt-get");
    quietly(config, "Updating the list of Debian packages", "5 seconds", update.arg("update"))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "--no-install-recommends"]).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    quietly(config, &format!("Installing {list} from Debian"), "1 minute", &mut install)
}
