//! The layers of the tests, by which users select them.

use anyhow::{Context, Result};

/// A layer of tests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layer {
    Lint,
    Native,
    Sanitizer,
    Runtime,
    Browser,
    Scripts,
    Api,
    Convert,
    Worker,
    Package,
    Www,
    Docs,
    Engines,
    Soak,
    Bench,
}

impl Layer {
    /// In the order of `--list`.
    pub(crate) const ALL: [Self; 15] = [
        Self::Lint,
        Self::Native,
        Self::Sanitizer,
        Self::Runtime,
        Self::Browser,
        Self::Scripts,
        Self::Api,
        Self::Convert,
        Self::Worker,
        Self::Package,
        Self::Www,
        Self::Docs,
        Self::Engines,
        Self::Soak,
        Self::Bench,
    ];

    pub(crate) fn find(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|layer| layer.name() == name)
            .with_context(|| format!("unknown layer {name}; the layers are {}", Self::ALL.map(Self::name).join(", ")))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Native => "native",
            Self::Sanitizer => "sanitizer",
            Self::Runtime => "runtime",
            Self::Browser => "browser",
            Self::Scripts => "scripts",
            Self::Api => "api",
            Self::Convert => "convert",
            Self::Worker => "worker",
            Self::Package => "package",
            Self::Www => "www",
            Self::Docs => "docs",
            Self::Engines => "engines",
            Self::Soak => "soak",
            Self::Bench => "bench",
        }
    }

    pub(crate) fn contents(self) -> &'static str {
        match self {
            Self::Lint => "formats, lints and types",
            Self::Native => "the order of threads on a simulated clock, and the tests of the tools",
            Self::Sanitizer => "native tests and a short fuzzing run under AddressSanitizer",
            Self::Runtime => "the C++ runtime, and the smallest crate that uses it, in Node",
            Self::Browser => "the crate in Chromium, with wasm-pack; with --full also in Firefox",
            Self::Scripts => "test scripts in Luau, including hostile ones",
            Self::Api => "the package's API, and a short run of its fuzzer",
            Self::Convert => "values between Luau and JavaScript",
            Self::Worker => "scripts in a worker: LuauWorker",
            Self::Package => "the packed tarball in bundlers and runtimes",
            Self::Www => "the playground",
            Self::Docs => "the documentation, and the code in it and the README",
            Self::Engines => "tests that depend on the engine, in Firefox; with --all-browsers also in WebKitGTK",
            Self::Soak => "many connections to a server that fails in every way",
            Self::Bench => "the size of the module; with --full also its speed compared with its peers",
        }
    }

    /// The folders under `tests` whose files run in Node.
    pub(crate) fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Scripts => &["luau"],
            Self::Api => &["api", "fuzz", "libraries"],
            Self::Convert => &["convert"],
            Self::Worker => &["worker"],
            Self::Package => &["package"],
            Self::Www => &["www"],
            Self::Docs => &["docs", "readme"],
            Self::Soak => &["soak"],
            Self::Bench => &["bench"],
            Self::Lint | Self::Native | Self::Sanitizer | Self::Runtime | Self::Browser | Self::Engines => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_ci_runs_every_layer_in_one_job() {
        let workflow = include_str!("../../../.github/workflows/ci.yml");
        let lines = workflow.lines().filter_map(|line| line.trim().strip_prefix("layers: "));
        let mut run: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        let mut all = Layer::ALL.map(Layer::name);
        run.sort_unstable();
        all.sort_unstable();
        assert_eq!(run, all);
    }

    #[test]
    fn every_layer_is_found_by_its_own_name() -> Result<()> {
        for layer in Layer::ALL {
            assert_eq!(Layer::find(layer.name())?, layer);
        }
        assert!(Layer::find("everything").is_err());
        Ok(())
    }
}
