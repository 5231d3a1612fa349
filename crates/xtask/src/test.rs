//! `cargo xtask test`: all tests or some, with one count at the end.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::config::{Config, Engine};
use crate::docs::DOCS;
use crate::layer::Layer;
use crate::log::Log;
use crate::package::PACKAGE;
use crate::server::Hosts;
use crate::setup::NPM;
use crate::site::PLAYGROUND;
use crate::step::{Counts, Outcome, Resource, Step, select};
use crate::tally::{collect_summaries, node_counts};
use crate::test_files::{self, EngineUse, Quiet, TestFile};
use crate::times::{Times, shown};
use crate::{fuzz, lint, plan, runner, rust_tests, setup};

/// The step that packs the package and installs it for the tests of the tarball.
const TARBALL: &str = "tarball";

/// The options of `cargo xtask test`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// An empty list means all layers.
    pub layers: Vec<Layer>,
    /// A text in the name of a step, such as the path of a test file, or else in the names of tests.
    pub filter: Option<String>,
    /// Includes the long forms.
    pub full: bool,
    pub all_browsers: bool,
    /// Lists the layers and runs nothing.
    pub list: bool,
}

impl Options {
    pub(crate) fn read(words: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--filter" => options.filter = Some(words.next().context("--filter wants a text")?.clone()),
                "--full" => options.full = true,
                "--all-browsers" => options.all_browsers = true,
                "--list" => options.list = true,
                option if option.starts_with('-') => {
                    bail!("test has no option {option}; it has --filter TEXT, --full, --all-browsers and --list")
                }
                layer => options.layers.push(Layer::find(layer)?),
            }
        }
        Ok(options)
    }

    /// The value of `TEST_TIER`, by which a test chooses how much it tries.
    pub(crate) fn tier(&self) -> &'static str {
        if self.full { "full" } else { "default" }
    }

    /// The browsers to test in; the main one is the first.
    pub(crate) fn engines<'a>(&self, config: &'a Config) -> impl Iterator<Item = &'a Engine> + use<'a> {
        let all = self.all_browsers;
        config.engines().iter().filter(move |engine| all || !engine.on_request)
    }

    /// The counts of a program. With a filter it may well run no test.
    pub(crate) fn counts(&self, counts: Counts, succeeded: bool) -> Counts {
        if self.filter.is_some() && succeeded { counts } else { counts.of_program(succeeded) }
    }

    /// Selects the steps of the layers, and those that they need.
    fn select<'a>(&self, steps: Vec<Step<'a>>) -> Vec<Step<'a>> {
        let is_chosen =
            |step: &Step| step.layer.is_some_and(|layer| self.layers.is_empty() || self.layers.contains(&layer));
        let is_named = |step: &Step| self.names(&step.name);
        let by_name = steps.iter().any(|step| is_chosen(step) && is_named(step));
        // Linters have no filter of their own.
        let may_have_named = |step: &Step| self.filter.is_none() || step.layer != Some(Layer::Lint);
        let mut steps =
            select(steps, |step| is_chosen(step) && if by_name { is_named(step) } else { may_have_named(step) });
        for step in steps.iter_mut().filter(|step| step.layer.is_some()) {
            step.is_usual = self.filter.is_none() && !self.full;
        }
        steps
    }

    /// Returns true if the name of a step or file contains the filter's text.
    fn names(&self, name: &str) -> bool {
        self.filter.as_ref().is_some_and(|text| name.contains(text.as_str()))
    }

    /// Returns the text that the names of tests must contain; none if the filter already chose the whole step or file.
    pub(crate) fn filter_within(&self, name: &str) -> Option<&str> {
        self.filter.as_deref().filter(|_| !self.names(name))
    }
}

pub(crate) fn run(config: &Config, words: &[String]) -> Result<()> {
    let options = Options::read(words)?;
    let hosts = Hosts::new(config);
    let steps = steps(config, &options, &hosts)?;
    if options.list {
        return list(config, &steps);
    }
    setup::check_machine(config)?;
    let tally = runner::run(config, options.select(steps))?;
    tally.print();
    tally.into_result()
}

/// Prints each layer with the time that it usually takes by itself.
fn list(config: &Config, steps: &[Step]) -> Result<()> {
    let times = Times::read(config)?;
    for layer in Layer::ALL {
        let own = steps.iter().filter(|step| step.layer == Some(layer));
        let seconds: f64 = own.map(|step| times.of(&step.name)).sum();
        println!("{:10} {:>7}  {}", layer.name(), shown(seconds), layer.contents());
    }
    Ok(())
}

/// Every step of the default tier, and those of `--full` if that is asked for.
fn steps<'a>(config: &'a Config, options: &'a Options, hosts: &'a Hosts) -> Result<Vec<Step<'a>>> {
    let mut steps = plan::build_steps(config);
    steps.extend(lint::steps(config));
    steps.extend(rust_tests::steps(config, options));
    steps.extend(fuzz::steps(config, options)?);
    steps.push(tarball(config));
    let main = config.main_engine()?;
    let others: Vec<&Engine> = options.engines(config).skip(1).collect();
    for file in test_files::all(config)?.into_iter().filter(|file| options.full || !file.is_full) {
        let is_everywhere = match file.engines {
            EngineUse::Main => false,
            EngineUse::All => true,
            EngineUse::AllInFull => options.full,
        };
        for engine in others.iter().filter(|_| is_everywhere) {
            let name = format!("{} in {}", file.path, engine.name);
            let step = node_step(config, options, hosts, engine, Layer::Engines, name, &file);
            steps.push(step.occupies(Resource::Session));
        }
        let name = file.path.clone();
        steps.push(node_step(config, options, hosts, main, file.layer, name, &file));
    }
    Ok(steps)
}

fn tarball(config: &Config) -> Step<'_> {
    Step::make(TARBALL, |log| {
        log.run(Command::new("node").arg("tests/package/pack.mjs").current_dir(&config.root))?;
        Ok(Outcome::Done)
    })
    .needs([PACKAGE, NPM])
}

/// A test file, in one engine.
fn node_step<'a>(
    config: &'a Config,
    options: &'a Options,
    hosts: &'a Hosts,
    engine: &'a Engine,
    layer: Layer,
    name: String,
    file: &TestFile,
) -> Step<'a> {
    let needs: &[&str] = match file.layer {
        Layer::Www => &[PLAYGROUND],
        // The code in the README and the documentation runs on the installed package.
        Layer::Docs => &[PLAYGROUND, DOCS, TARBALL],
        Layer::Package => &[TARBALL],
        _ => &[],
    };
    let path = file.path.clone();
    let step = Step::test(layer, name, move |log| run_file(config, options, hosts, engine, &path, log))
        .needs([PACKAGE, NPM, engine.name.as_str()])
        .needs(needs.iter().copied())
        .occupies(Resource::Lane);
    let is_quiet = match file.quiet {
        Quiet::Never => false,
        Quiet::InFull => options.full,
        Quiet::Always => true,
    };
    if is_quiet { step.occupies(Resource::Machine) } else { step }
}

fn run_file(
    config: &Config,
    options: &Options,
    hosts: &Hosts,
    engine: &Engine,
    path: &str,
    log: &mut Log,
) -> Result<Counts> {
    let browser = setup::find_browser(config, config.main_engine()?)?;
    let (program, args) = engine.within("node".into());
    let mut node = Command::new(program);
    // A test that failed may leave a timer or a server behind, and the run would wait for it.
    node.args(args).args(["--test-reporter=spec", "--test-force-exit"]).current_dir(&config.root);
    if let Some(text) = options.filter_within(path) {
        node.arg(format!("--test-name-pattern={}", as_pattern(text)));
    }
    node.arg(path)
        .env("ENGINE", &engine.name)
        .env("TEST_HOST", hosts.line(engine)?)
        .env("TEST_TIER", options.tier())
        .env("CHROMIUM", browser.executable)
        .env("NO_COLOR", "1");
    let succeeded = log.try_run(&mut node)?;
    let output = log.text();
    let (passed, failed) = node_counts(&output);
    Ok(options.counts(Counts { passed, failed, summaries: collect_summaries(&output) }, succeeded))
}

/// A text as a regular expression.
fn as_pattern(text: &str) -> String {
    text.chars().fold(String::new(), |mut pattern, char| {
        if r"\^$.|?*+()[]{}/".contains(char) {
            pattern.push('\\');
        }
        pattern.push(char);
        pattern
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn layers_and_options_come_in_any_order_and_others_are_refused() -> Result<()> {
        let expected = Options {
            layers: vec![Layer::Api, Layer::Lint],
            filter: Some("a text".to_owned()),
            full: true,
            ..Options::default()
        };
        assert_eq!(read(&["api", "--filter", "a text", "lint", "--full"])?, expected);
        assert_eq!(read(&[])?, Options::default());
        for wrong in [&["--filter"][..], &["everything"], &["--quick"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        Ok(())
    }

    #[test]
    fn a_filter_chooses_steps_by_name_or_else_the_tests_within_them() {
        let selected = |filter: &str| -> Vec<String> {
            let step = |layer, name| Step::test(layer, name, |_| Ok(Counts::check(true)));
            let steps = vec![step(Layer::Lint, "tsc"), step(Layer::Api, "tests/a"), step(Layer::Www, "tests/b")];
            let options = Options { filter: Some(filter.to_owned()), ..Options::default() };
            let steps = options.select(steps);
            assert!(steps.iter().all(|step| !step.is_usual));
            steps.into_iter().map(|step| step.name).collect()
        };
        assert_eq!(selected("tests/a"), ["tests/a"]);
        assert_eq!(selected("ts"), ["tsc", "tests/a", "tests/b"]);
        assert_eq!(selected("the name of a test"), ["tests/a", "tests/b"]);
    }

    #[test]
    fn a_filter_is_a_text_and_not_a_pattern() {
        assert_eq!(as_pattern("a.b (c)"), r"a\.b \(c\)");
    }

    #[test]
    fn every_step_finds_what_it_needs() -> Result<()> {
        let config = Config::read()?;
        let options = Options { full: true, all_browsers: true, ..Options::default() };
        let hosts = Hosts::new(&config);
        let steps = steps(&config, &options, &hosts)?;
        for step in &steps {
            for need in &step.needs {
                assert!(steps.iter().any(|other| other.name == *need), "{} needs {need}", step.name);
            }
        }
        Ok(())
    }

    #[test]
    fn every_layer_has_a_test_without_any_option() -> Result<()> {
        let config = Config::read()?;
        let (options, hosts) = (Options::default(), Hosts::new(&config));
        let steps = steps(&config, &options, &hosts)?;
        for layer in Layer::ALL {
            assert!(steps.iter().any(|step| step.layer == Some(layer)), "{}", layer.name());
        }
        Ok(())
    }
}
