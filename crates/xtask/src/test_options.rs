//! The options of `cargo xtask test`.

use anyhow::{Context, Result, bail};

use crate::config::{Config, Engine};
use crate::layer::Layer;
use crate::step::{Counts, Step, select};

/// The options of `cargo xtask test`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// An empty list means all layers.
    pub layers: Vec<Layer>,
    /// A text in the name of a step, such as the path of a test file, or otherwise in the names of tests.
    pub filter: Option<String>,
    /// Includes the long tests.
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
                "--filter" => options.filter = Some(words.next().context("--filter needs a text")?.clone()),
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

    /// Returns the value of `TEST_TIER`, by which tests decide how much they try.
    pub(crate) fn tier(&self) -> &'static str {
        if self.full { "full" } else { "default" }
    }

    /// Returns the browsers to test in. The main one is the first.
    pub(crate) fn engines<'a>(&self, config: &'a Config) -> impl Iterator<Item = &'a Engine> + use<'a> {
        let all = self.all_browsers;
        config.engines().iter().filter(move |engine| all || !engine.on_request)
    }

    /// Evaluates the counts of a program. With a filter it may well run no test.
    pub(crate) fn counts(&self, counts: Counts, succeeded: bool) -> Counts {
        if self.filter.is_some() && succeeded { counts } else { counts.of_program(succeeded) }
    }

    /// Selects the steps of the layers, and their dependencies.
    pub(crate) fn select<'a>(&self, steps: Vec<Step<'a>>) -> Vec<Step<'a>> {
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

    /// Returns the text that test names must contain; none if the filter already selected the whole step or file.
    pub(crate) fn filter_within(&self, name: &str) -> Option<&str> {
        self.filter.as_deref().filter(|_| !self.names(name))
    }
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
}
