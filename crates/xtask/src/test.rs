//! `cargo xtask test`: runs all or some tests, and prints one total.

use std::process::Command;

use anyhow::Result;

use crate::config::{Config, Engine};
use crate::docs::DOCS;
use crate::layer::Layer;
use crate::log::Log;
use crate::package::PACKAGE;
use crate::server::Hosts;
use crate::setup::NPM;
use crate::site::PLAYGROUND;
use crate::step::{Counts, Outcome, Resource, Step};
use crate::tally::{collect_summaries, node_counts};
use crate::test_files::{self, EngineUse, Quiet, TestFile};
use crate::test_options::Options;
use crate::times::{Times, shown};
use crate::{fuzz, lint, plan, runner, rust_tests, setup};

/// The step that packs the package and installs it for the tests of the tarball.
const TARBALL: &str = "tarball";

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

/// Prints each layer with the time that it usually takes alone.
fn list(config: &Config, steps: &[Step]) -> Result<()> {
    let times = Times::read(config)?;
    for layer in Layer::ALL {
        let own = steps.iter().filter(|step| step.layer == Some(layer));
        let seconds: f64 = own.map(|step| times.of(&step.name)).sum();
        println!("{:10} {:>7}  {}", layer.name(), shown(seconds), layer.contents());
    }
    Ok(())
}

/// Returns all steps of the default tier, and with `--full` those of the full one.
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

/// Creates the step of a test file in an engine.
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
        // The code in the README and the documentation runs against the installed package.
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
    // A failed test may leave a timer or a server behind, and the run would wait for it.
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

/// Escapes a text for use in a regular expression.
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
