//! The scheduler: threads that wait, wake, end and end each other, in any order, beside a model that foretells what they note.
//!
//! A plan (`plan`) is a script, and what happens to it from outside. The script is made and run (`stage`), and the model
//! (`model`) does the same without Luau. After every event they have to agree on all that was noted, on the errors that reached
//! the sink, on when the scheduler wants to come back, on what it counts, and on which threads are alive.

mod model;
mod plan;
mod stage;

use arbitrary::Unstructured;
use luau_websocket::scheduler::{Counts, Next};

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
        assert_eq!(seen, foretold, "seen and foretold differ after {history:?} of\n{}", plan.source());
    }
    stage.check_end();
}

/// What can be seen after an event.
#[derive(Debug, PartialEq)]
struct View {
    notes: Vec<String>,
    errors: Vec<String>,
    next: Next,
    /// Threads and timers, while nothing is left to do at once.
    counts: Option<Counts>,
    /// The states of the threads that the script has named.
    states: Vec<Option<&'static str>>,
}
