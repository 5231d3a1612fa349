//! Runs steps in the order of the schedule, and shows their progress.

use std::collections::HashMap;
use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::config::Config;
use crate::layer::Layer;
use crate::log::Log;
use crate::schedule::{Node, Schedule};
use crate::step::{Counts, Outcome, Step};
use crate::tally::Tally;
use crate::times::{Times, shown};

/// A test step that usually takes this long announces its start.
const LONG_SECONDS: f64 = 10.0;

/// The time without output before a line lists the running steps. It is shorter at first, to show that something
/// happens.
const FIRST_SILENCE: Duration = Duration::from_secs(3);
const SILENCE: Duration = Duration::from_secs(20);

/// The number of log lines shown for a failed step.
const SHOWN_LINES: usize = 120;

/// The end of a step.
struct Ended {
    index: usize,
    result: Result<Outcome>,
    seconds: f64,
    log: String,
}

/// Runs steps that make something, and fails if one of them does.
pub(crate) fn make(config: &Config, steps: Vec<Step>) -> Result<()> {
    let tally = run(config, steps)?;
    if !tally.failed_steps().is_empty() {
        bail!("failed: {}", tally.failed_steps().join(", "));
    }
    Ok(())
}

/// Runs all steps. If one fails, the steps that depend on it are skipped and count as failed.
pub(crate) fn run(config: &Config, steps: Vec<Step>) -> Result<Tally> {
    fs::create_dir_all(config.logs()).with_context(|| format!("cannot make {}", config.logs().display()))?;
    let steps = sorted(steps)?;
    let mut times = Times::read(config)?;
    let mut schedule = Schedule::new(nodes(&steps, &times), lanes());
    let mut progress = Progress::new(&steps);
    let mut tally = Tally::default();
    let mut silence = FIRST_SILENCE;
    let (sender, receiver) = mpsc::channel::<Ended>();
    thread::scope(|scope| {
        while !schedule.is_over() {
            while let Some(index) = schedule.start_next() {
                let Some(step) = steps.get(index) else { continue };
                progress.starts(index, step, times.of(&step.name));
                let sender = sender.clone();
                scope.spawn(move || {
                    let began = Instant::now();
                    let (result, log) = run_step(config, step);
                    let seconds = began.elapsed().as_secs_f64();
                    // The receiver lives as long as the loop, which waits for every step.
                    let _ = sender.send(Ended { index, result, seconds, log });
                });
            }
            match receiver.recv_timeout(silence) {
                Ok(ended) => {
                    let Some(step) = steps.get(ended.index) else { continue };
                    let succeeded = settle(step, &ended, &mut tally, &mut times, &mut progress);
                    for missed in schedule.finish(ended.index, succeeded) {
                        let Some(missed) = steps.get(missed) else { continue };
                        progress.missed(missed, &step.name);
                        tally.add(&missed.name, &Counts::check(false));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    progress.waits(schedule.running(), &steps, &times);
                    silence = SILENCE;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    times.write(config)?;
    Ok(tally)
}

/// Returns the number of tests that run at a time: one per core, but at least two, because most of them wait for a
/// browser or a server.
fn lanes() -> usize {
    thread::available_parallelism().map_or(2, usize::from).max(2)
}

/// Sorts the steps so that each comes after its dependencies.
fn sorted(steps: Vec<Step>) -> Result<Vec<Step>> {
    let mut sorted: Vec<Step> = Vec::with_capacity(steps.len());
    let mut rest = steps;
    while !rest.is_empty() {
        let is_ready = |step: &Step| step.needs.iter().all(|need| sorted.iter().any(|before| before.name == *need));
        let (ready, blocked): (Vec<Step>, Vec<Step>) = rest.into_iter().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<String> =
                blocked.iter().map(|step| format!("{} needs {:?}", step.name, step.needs)).collect();
            bail!("these steps need something that no step makes, or each other: {}", names.join("; "));
        }
        sorted.extend(ready);
        rest = blocked;
    }
    Ok(sorted)
}

fn nodes(steps: &[Step], times: &Times) -> Vec<Node> {
    let places: HashMap<&str, usize> = steps.iter().enumerate().map(|(at, step)| (step.name.as_str(), at)).collect();
    let node = |step: &Step| Node {
        needs: step.needs.iter().filter_map(|need| places.get(need.as_str()).copied()).collect(),
        occupies: step.occupies.clone(),
        seconds: times.of(&step.name),
        is_first: step.layer == Some(Layer::Lint),
    };
    steps.iter().map(node).collect()
}

/// Runs a step, unless its stamp is current. Also returns the output of its programs.
fn run_step(config: &Config, step: &Step) -> (Result<Outcome>, String) {
    if step.stamp.as_ref().is_some_and(|stamp| stamp.is_current(config)) {
        return (Ok(Outcome::UpToDate), String::new());
    }
    let mut log = match Log::create(config, &step.name) {
        Ok(log) => log,
        Err(error) => return (Err(error), String::new()),
    };
    let result = (step.work)(&mut log).and_then(|outcome| {
        if let Some(stamp) = &step.stamp {
            stamp.renew(config)?;
        }
        Ok(outcome)
    });
    (result, log.text())
}

/// Counts and shows a finished step. Returns false if the steps that depend on it cannot run.
fn settle(step: &Step, ended: &Ended, tally: &mut Tally, times: &mut Times, progress: &mut Progress) -> bool {
    let Ended { index, result, seconds, log } = ended;
    match result {
        Ok(Outcome::UpToDate) => {
            progress.close(*index);
            return true;
        }
        Ok(Outcome::Done) => progress.ends(*index, &format!("{}: done", step.name), *seconds),
        Ok(Outcome::Tested(counts)) => {
            tally.add(&step.name, counts);
            if counts.failed > 0 {
                progress.fails(*index, &format!("{}: {} failed", step.name, counts.failed), *seconds, log);
                return false;
            }
            progress.ends(*index, &format!("{}: {} passed", step.name, counts.passed), *seconds);
        }
        Err(error) => {
            tally.add(&step.name, &Counts::check(false));
            progress.fails(*index, &format!("{}: {error:#}", step.name), *seconds, log);
            return false;
        }
    }
    if step.is_usual {
        times.record(&step.name, *seconds);
    }
    true
}

/// Shows the progress of the steps.
struct Progress {
    began: HashMap<usize, Instant>,
    ended: usize,
    all: usize,
}

impl Progress {
    fn new(steps: &[Step]) -> Self {
        Self { began: HashMap::new(), ended: 0, all: steps.len() }
    }

    fn starts(&mut self, index: usize, step: &Step, usual: f64) {
        self.began.insert(index, Instant::now());
        // Other steps are often up to date.
        if usual >= LONG_SECONDS && step.layer.is_some() {
            println!("[{}/{}] {} … (usually {})", self.ended, self.all, step.name, shown(usual));
        }
    }

    fn close(&mut self, index: usize) {
        self.began.remove(&index);
        self.ended += 1;
    }

    fn ends(&mut self, index: usize, text: &str, seconds: f64) {
        self.close(index);
        println!("[{}/{}] {text} ({})", self.ended, self.all, shown(seconds));
    }

    fn fails(&mut self, index: usize, text: &str, seconds: f64, log: &str) {
        self.close(index);
        println!("[{}/{}] FAILED {text} ({})", self.ended, self.all, shown(seconds));
        println!("{}", excerpt(log));
    }

    fn missed(&mut self, step: &Step, because: &str) {
        self.ended += 1;
        println!("[{}/{}] FAILED {}: it needs {because}", self.ended, self.all, step.name);
    }

    fn waits(&self, running: impl Iterator<Item = usize>, steps: &[Step], times: &Times) {
        let texts: Vec<String> = running
            .filter_map(|index| {
                let (step, began) = (steps.get(index)?, self.began.get(&index)?);
                let (now, usual) = (began.elapsed().as_secs_f64(), times.of(&step.name));
                Some(format!("{} {} of usually {}", step.name, shown(now), shown(usual)))
            })
            .collect();
        println!("[{}/{}] running: {}", self.ended, self.all, texts.join(", "));
    }
}

/// Returns the part of a log that explains a failure: the summary of Node's reporter or, without one, the last lines.
fn excerpt(log: &str) -> String {
    const FAILURES: &str = "failing tests:";
    let failures = log.find(FAILURES).and_then(|at| log.get(at..));
    let lines: Vec<&str> = failures.unwrap_or(log).lines().collect();
    let lines = match failures {
        Some(_) => lines.get(..lines.len().min(SHOWN_LINES)),
        None => lines.get(lines.len().saturating_sub(SHOWN_LINES)..),
    };
    lines.unwrap_or_default().iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_sorted_by_what_they_need() -> Result<()> {
        let step = |name: &str, needs: &[&str]| Step::make(name, |_| Ok(Outcome::Done)).needs(needs.iter().copied());
        let steps = sorted(vec![step("c", &["b"]), step("a", &[]), step("b", &["a"])])?;
        assert_eq!(steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(sorted(vec![step("a", &["b"]), step("b", &["a"])]).is_err());
        assert!(sorted(vec![step("a", &["nothing"])]).is_err());
        Ok(())
    }

    #[test]
    fn of_a_log_the_failures_are_shown_or_else_its_end() {
        assert_eq!(excerpt("✔ one\nfailing tests:\ntwo\n"), "    failing tests:\n    two");
        let long = (0..200).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert!(excerpt(&long).ends_with("    199"));
        assert_eq!(excerpt(&long).lines().count(), SHOWN_LINES);
    }
}
