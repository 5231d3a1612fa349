//! Tests the scheduler with threads that wait, wake, end and end each other in any order, against a model that predicts
//! their notes.
//!
//! A plan (`plan`) is a script and a sequence of external events. The script is generated and run (`stage`), and the
//! model (`model`) does the same without Luau. After every event both must agree on the notes, the errors that reached
//! the sink, the next wake-up time, the counts, and the states of the threads.

mod model;
mod plan;
mod stage;

use arbitrary::Unstructured;
use luau_runtime::scheduler::{Counts, Next};

use self::model::Model;
use self::plan::Plan;
use self::stage::Stage;

/// Runs one case.
pub fn run(input: &[u8]) {
    let plan = Plan::new(&mut Unstructured::new(input));
    let stage = Stage::new(&plan);
    let mut model = Model::new(&plan);
    let mut history = Vec::new();
    for event in plan.events.iter().chain(&plan::CLOSING) {
        history.push(event);
        let (seen, foretold) = (stage.play(event), model.play(event));
        assert_eq!(seen, foretold, "actual and expected views differ after {history:?} of\n{}", plan.source());
    }
    stage.check_end();
}

/// The observable state after an event.
#[derive(Debug, PartialEq)]
struct View {
    notes: Vec<String>,
    errors: Vec<String>,
    next: Next,
    /// The counts of threads and timers, while no job is ready.
    counts: Option<Counts>,
    /// The states of the threads that the script has named.
    states: Vec<Option<&'static str>>,
}
