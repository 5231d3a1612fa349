//! What passed and what failed, over all layers.

use anyhow::{Result, bail};

/// Counts, and the names of the layers that failed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
    /// What the layers that count more than tests say of it: scripts, cases, messages, faults.
    tried: Vec<String>,
}

/// With this those lines begin.
const TRIED: [&str; 3] = ["hostile: ", "fuzz: ", "soak: "];

impl Tally {
    /// Adds one check that is a test by itself.
    pub(crate) fn check(&mut self, name: &str, passed: bool) {
        self.add(name, u64::from(passed), u64::from(!passed), passed);
    }

    /// Adds a layer with its counts. A layer that failed counts as one failure at least, and so does one in which no
    /// test ran: it would be a promise that nobody keeps.
    pub(crate) fn add(&mut self, name: &str, passed: u64, failed: u64, succeeded: bool) {
        let failed = if succeeded && passed > 0 { failed } else { failed.max(1) };
        self.passed += passed;
        self.failed += failed;
        if failed > 0 {
            self.failures.push(name.to_owned());
        }
    }

    /// Keeps the lines of a layer that say how much it tried, for the end.
    pub(crate) fn hear(&mut self, output: &str) {
        let lines = output.lines().map(|line| line.trim_start_matches(['#', ' ']));
        self.tried.extend(lines.filter(|line| TRIED.iter().any(|start| line.starts_with(start))).map(str::to_owned));
    }

    /// Adds what another one has counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.tried.extend(other.tried);
    }

    /// Prints the closing line.
    pub(crate) fn print(&self) {
        if !self.tried.is_empty() {
            println!("\n{}", self.tried.join("\n"));
        }
        if !self.failures.is_empty() {
            println!("\nfailed: {}", self.failures.join(", "));
        }
        println!("\n{} passed, {} failed", self.passed, self.failed);
    }

    pub(crate) fn into_result(self) -> Result<()> {
        if self.failed > 0 {
            bail!("{} of {} failed", self.failed, self.passed + self.failed);
        }
        Ok(())
    }
}

/// The sums of `N passed; N failed` over all `test result:` lines, as cargo's harness and wasm-bindgen's print them.
pub(crate) fn harness_counts(output: &str) -> (u64, u64) {
    let results = output.lines().filter_map(|line| line.trim().strip_prefix("test result:"));
    results.fold((0, 0), |(passed, failed), line| (passed + before(line, " passed"), failed + before(line, " failed")))
}

/// The counts in the summary of Node's test runner.
pub(crate) fn node_counts(output: &str) -> (u64, u64) {
    let count = |name: &str| {
        let lines = output.lines().filter_map(|line| line.trim_start_matches(['#', 'ℹ', ' ']).strip_prefix(name));
        lines.filter_map(|rest| rest.trim().parse::<u64>().ok()).sum()
    };
    (count("pass "), count("fail ") + count("cancelled "))
}

fn before(line: &str, word: &str) -> u64 {
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
    fn what_was_tried_is_heard_among_what_else_is_said() {
        let mut tally = Tally::default();
        tally.hear("ok 1 - hostile: no\n# hostile: 3 scripts tried, 3 survived\nfuzz: 5 cases\n");
        assert_eq!(tally.tried, ["hostile: 3 scripts tried, 3 survived", "fuzz: 5 cases"]);
    }

    #[test]
    fn a_layer_without_tests_fails() {
        let mut tally = Tally::default();
        tally.add("empty", 0, 0, true);
        assert!(tally.into_result().is_err());
    }

    #[test]
    fn a_layer_that_fails_after_its_tests_passed_fails() {
        let mut tally = Tally::default();
        tally.add("crashed", 5, 0, false);
        assert_eq!((tally.passed, tally.failed), (5, 1));
    }
}
