//! Counts passed and failed tests in all layers.

use anyhow::{Result, bail};

use crate::step::Counts;

/// The counts of all layers, and the names of the steps that failed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    failed_steps: Vec<String>,
    summaries: Vec<String>,
}

/// The prefixes of the summary lines that layers print.
const SUMMARY_PREFIXES: [&str; 3] = ["hostile: ", "fuzz: ", "soak: "];

impl Tally {
    pub(crate) fn add(&mut self, step: &str, counts: &Counts) {
        self.passed += counts.passed;
        self.failed += counts.failed;
        self.summaries.extend(counts.summaries.iter().cloned());
        if counts.failed > 0 {
            self.failed_steps.push(step.to_owned());
        }
    }

    pub(crate) fn failed_steps(&self) -> &[String] {
        &self.failed_steps
    }

    /// Prints the summaries, the names of failed steps, and the closing line.
    pub(crate) fn print(&self) {
        if !self.summaries.is_empty() {
            println!("\n{}", self.summaries.join("\n"));
        }
        if !self.failed_steps.is_empty() {
            println!("\nfailed: {}", self.failed_steps.join(", "));
        }
        println!("\n{} passed, {} failed", self.passed, self.failed);
    }

    pub(crate) fn into_result(self) -> Result<()> {
        if self.failed > 0 {
            bail!("{} of {} failed", self.failed, self.passed + self.failed);
        }
        if self.passed == 0 {
            bail!("no test ran: nothing matched");
        }
        Ok(())
    }
}

/// Returns the summary lines in the output of a layer.
pub(crate) fn collect_summaries(output: &str) -> Vec<String> {
    let lines = output.lines().map(|line| line.trim_start_matches(['#', 'ℹ', ' ']));
    lines.filter(|line| SUMMARY_PREFIXES.iter().any(|prefix| line.starts_with(prefix))).map(str::to_owned).collect()
}

/// Adds up `N passed; N failed` in all `test result:` lines of cargo's and wasm-bindgen's test harnesses.
pub(crate) fn harness_counts(output: &str) -> (u64, u64) {
    let results = output.lines().filter_map(|line| line.trim().strip_prefix("test result:"));
    results.fold((0, 0), |(passed, failed), line| {
        (passed + number_before(line, " passed"), failed + number_before(line, " failed"))
    })
}

/// Returns the counts in the summary of Node's test runner.
pub(crate) fn node_counts(output: &str) -> (u64, u64) {
    let count = |name: &str| {
        let lines = output.lines().filter_map(|line| line.trim_start_matches(['#', 'ℹ', ' ']).strip_prefix(name));
        lines.filter_map(|rest| rest.trim().parse::<u64>().ok()).sum()
    };
    (count("pass "), count("fail ") + count("cancelled "))
}

fn number_before(line: &str, word: &str) -> u64 {
    line.split_once(word).and_then(|(start, _)| start.rsplit(' ').next()).and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_both_harnesses_add_up() {
        let output = "test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured\n\
                      running 3 tests\n  test result: FAILED. 3 passed; 2 failed; 0 ignored\n";
        assert_eq!(harness_counts(output), (15, 3));
    }

    #[test]
    fn cancelled_tests_of_node_count_as_failed() {
        assert_eq!(node_counts("# tests 6\n# pass 3\n# fail 1\n# cancelled 2\n"), (3, 3));
        assert_eq!(node_counts("ℹ pass 7\nℹ fail 0\n"), (7, 0));
    }

    #[test]
    fn summaries_are_found_among_other_lines() {
        let output = "ok 1 - hostile: no\n# hostile: 3 scripts tried, 3 survived\nfuzz: 5 cases\n";
        assert_eq!(collect_summaries(output), ["hostile: 3 scripts tried, 3 survived", "fuzz: 5 cases"]);
    }

    #[test]
    fn a_run_without_tests_fails() {
        assert!(Tally::default().into_result().is_err());
    }
}
