//! A step of a run, as data: its dependencies, its resources and its work.

use anyhow::Result;

use crate::layer::Layer;
use crate::log::Log;
use crate::stamp::Stamp;

/// A resource that only a limited number of steps may use at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resource {
    /// A slot for a test, which waits more than it computes. There is one per core.
    Lane,
    /// All cores, as cargo uses them. Tests run alongside, because they mostly wait.
    Compiler,
    /// The lock of Debian's package manager.
    PackageManager,
    /// A browser that allows one session at a time.
    Session,
    /// The whole machine: nothing else may run.
    Machine,
}

/// The outcome of a step.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// There was nothing to do.
    UpToDate,
    Done,
    Tested(Counts),
}

/// The results of a test step.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub passed: u64,
    pub failed: u64,
    /// Lines that summarize how many cases or messages the step tried.
    pub summaries: Vec<String>,
}

impl Counts {
    /// Creates the counts of a check that is a single test.
    pub(crate) fn check(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed), summaries: Vec::new() }
    }

    /// Counts a failure for a program that failed without naming a test, or that ran no test at all.
    pub(crate) fn of_program(mut self, succeeded: bool) -> Self {
        if !succeeded || self.passed == 0 {
            self.failed = self.failed.max(1);
        }
        self
    }
}

type Work<'a> = Box<dyn Fn(&mut Log) -> Result<Outcome> + Send + Sync + 'a>;

/// A step. Steps refer to each other by name.
pub(crate) struct Step<'a> {
    pub name: String,
    /// The layer of a test step. Other steps only make what tests need.
    pub layer: Option<Layer>,
    pub needs: Vec<String>,
    pub occupies: Vec<Resource>,
    /// The inputs and the output of a step that is skipped while they stay the same.
    pub stamp: Option<Stamp>,
    /// False if it runs more or fewer tests than usual. Then its time is not recorded.
    pub is_usual: bool,
    pub work: Work<'a>,
}

impl<'a> Step<'a> {
    /// Creates a step that makes or installs something.
    pub(crate) fn make(name: impl Into<String>, work: impl Fn(&mut Log) -> Result<Outcome> + Send + Sync + 'a) -> Self {
        let work = Box::new(work);
        Self {
            name: name.into(),
            layer: None,
            needs: Vec::new(),
            occupies: Vec::new(),
            stamp: None,
            is_usual: true,
            work,
        }
    }

    /// Creates a test step.
    pub(crate) fn test(
        layer: Layer,
        name: impl Into<String>,
        work: impl Fn(&mut Log) -> Result<Counts> + Send + Sync + 'a,
    ) -> Self {
        Self { layer: Some(layer), ..Self::make(name, move |log| Ok(Outcome::Tested(work(log)?))) }
    }

    pub(crate) fn needs<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.needs.extend(names.into_iter().map(Into::into));
        self
    }

    pub(crate) fn occupies(mut self, resource: Resource) -> Self {
        self.occupies.push(resource);
        self
    }

    pub(crate) fn stamp(mut self, inputs: &[&str], output: &str) -> Self {
        self.stamp = Some(Stamp::new(&self.name, inputs, output));
        self
    }
}

/// Selects the wanted steps and all their dependencies.
pub(crate) fn select(mut steps: Vec<Step<'_>>, is_wanted: impl Fn(&Step) -> bool) -> Vec<Step<'_>> {
    let mut names: Vec<String> = steps.iter().filter(|step| is_wanted(step)).map(|step| step.name.clone()).collect();
    let mut next = 0;
    while let Some(name) = names.get(next) {
        let needs = steps.iter().find(|step| step.name == *name).map(|step| step.needs.clone());
        for need in needs.into_iter().flatten() {
            if !names.contains(&need) {
                names.push(need);
            }
        }
        next += 1;
    }
    steps.retain(|step| names.contains(&step.name));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_comes_with_all_that_it_needs_and_nothing_else() {
        let step = |name: &str, needs: &[&str]| Step::make(name, |_| Ok(Outcome::Done)).needs(needs.iter().copied());
        let steps = vec![step("a", &[]), step("b", &["a"]), step("c", &["b"]), step("d", &["a"])];
        let names: Vec<String> = select(steps, |step| step.name == "c").into_iter().map(|step| step.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn a_program_that_fails_or_tests_nothing_counts_as_a_failure() {
        let counts = |passed, failed| Counts { passed, failed, summaries: Vec::new() };
        assert_eq!(counts(5, 0).of_program(false), counts(5, 1));
        assert_eq!(counts(5, 2).of_program(false), counts(5, 2));
        assert_eq!(counts(0, 0).of_program(true), counts(0, 1));
        assert_eq!(counts(3, 0).of_program(true), counts(3, 0));
    }
}
