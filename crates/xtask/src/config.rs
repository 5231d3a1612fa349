//! The contents of `wasm-pack.toml`, and the paths of this repository.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// `wasm-pack.toml`, and the folder that contains it.
#[derive(Debug)]
pub(crate) struct Config {
    pub root: PathBuf,
    pub file: File,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub tools: BTreeMap<String, String>,
    pub rust: Rust,
    pub build: Build,
    pub package: Package,
    pub test: Test,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rust {
    pub targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Build {
    pub target: String,
    pub profile: String,
    pub out_dir: String,
    pub out_name: String,
    pub features: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Package {
    pub sources: String,
    pub out_dir: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    pub timeout: u64,
    pub engines: Vec<Engine>,
}

/// A browser for the tests, and its driver.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Engine {
    pub name: String,
    pub wasm_pack: Vec<String>,
    pub driver: String,
    pub executables: Vec<String>,
    pub debian: Vec<String>,
    /// True if it only runs with `--all-browsers`.
    #[serde(default)]
    pub on_request: bool,
    /// The command that the engine's programs run under, for example one that provides a display.
    #[serde(default)]
    pub within: Vec<String>,
}

impl Config {
    /// Reads the `wasm-pack.toml` of the repository.
    pub(crate) fn read() -> Result<Self> {
        // Cargo sets the variable when it runs this program. It does not rebuild the program after the repository has
        // moved.
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root =
            Path::new(&package).ancestors().nth(2).context("the xtask crate is not where it was built")?.to_owned();
        let path = root.join("wasm-pack.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = toml::from_str(&text).with_context(|| format!("{} has unexpected contents", path.display()))?;
        Ok(Self { root, file })
    }

    /// The folder of the tools, which git ignores.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// The folder of logs, stamps and times.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("target/xtask")
    }

    /// Returns the path of a program that setup installed with cargo.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.tools().join("bin").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// Returns the path of the C and C++ compiler; `.cargo/config.toml` names it too.
    pub(crate) fn zig(&self) -> PathBuf {
        self.tools().join("zig/ziglang").join(format!("zig{}", env::consts::EXE_SUFFIX))
    }

    /// Returns the path of the LLVM runtime and libc sources that come with zig.
    pub(crate) fn zig_library(&self) -> PathBuf {
        self.tools().join("zig/ziglang/lib")
    }

    /// Returns the pinned version of a tool.
    pub(crate) fn version(&self, tool: &str) -> Result<&str> {
        match self.file.tools.get(tool) {
            Some(version) => Ok(version),
            None => bail!("wasm-pack.toml pins no version of {tool}: add one under [tools]"),
        }
    }

    /// Returns the path of a program that npm installed.
    pub(crate) fn npm_program(&self, name: &str) -> PathBuf {
        self.root.join("node_modules/.bin").join(name)
    }

    /// Returns the browser for tests that run in only one.
    pub(crate) fn main_engine(&self) -> Result<&Engine> {
        match self.file.test.engines.first() {
            Some(engine) => Ok(engine),
            None => bail!("wasm-pack.toml names no browser for the tests: add one under [[test.engines]]"),
        }
    }

    /// Returns the browsers for the tests. The first one is the main one.
    pub(crate) fn engines(&self) -> &[Engine] {
        &self.file.test.engines
    }

    /// Returns the target of the module.
    pub(crate) fn wasm_target(&self) -> Result<&str> {
        match self.file.rust.targets.first() {
            Some(target) => Ok(target),
            None => bail!("wasm-pack.toml names no Rust target: add one under [rust]"),
        }
    }

    /// Returns the folder of the package's TypeScript sources and manifest.
    pub(crate) fn sources(&self) -> PathBuf {
        self.root.join(&self.file.package.sources)
    }

    /// Returns the folder of the package that `build` creates.
    pub(crate) fn package(&self) -> PathBuf {
        self.root.join(&self.file.package.out_dir)
    }

    /// Returns the folder of the playground and the documentation; `www/vite.config.ts` names it too.
    pub(crate) fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// Returns the value of `CARGO_ENCODED_RUSTFLAGS` for every build of the module; with different flags, crates would
    /// be compiled twice. The flags keep local paths out of the module, which contains the locations of panics as text.
    ///
    /// The encoded form allows spaces in folder names.
    pub(crate) fn rust_flags(&self) -> String {
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        let sources = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
        let registries = sources.into_iter().flatten().flatten().map(|entry| (entry.path(), "crates"));
        let folders = registries.chain([(self.root.clone(), "luau-websocket")]);
        let flags: Vec<String> =
            folders.map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())).collect();
        flags.join("\u{1f}")
    }

    /// Returns `PATH` with our tools first.
    pub(crate) fn path(&self) -> Result<std::ffi::OsString> {
        let before = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.tools().join("bin")).chain(env::split_paths(&before));
        Ok(env::join_paths(folders)?)
    }
}

impl Engine {
    /// Wraps a program in the command that the engine runs under. Returns the program to run and its first arguments.
    pub(crate) fn within(&self, program: PathBuf) -> (PathBuf, Vec<PathBuf>) {
        let mut words = self.within.iter().map(PathBuf::from).chain([program]);
        (words.next().unwrap_or_default(), words.collect())
    }
}

/// Returns the path of the first of these programs that is on `PATH`.
pub(crate) fn find_program<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    names.into_iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
            .find(|program| program.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_browser_needs_nothing_around_it_and_nobody_to_ask_for_it() -> Result<()> {
        let config = Config::read()?;
        let main = config.main_engine()?;
        assert_eq!(main.within("node".into()), ("node".into(), vec![]));
        assert!(!main.on_request);
        Ok(())
    }
}
