//! Decides which step starts next. It runs nothing; the runner reports which steps have ended.

use crate::step::Resource;

/// A step, as seen by the schedule.
#[derive(Debug)]
pub(crate) struct Node {
    /// The indices of the steps that must succeed first.
    pub needs: Vec<usize>,
    pub occupies: Vec<Resource>,
    /// Its usual duration.
    pub seconds: f64,
    /// True if it takes precedence over other ready steps, like formatters and linters, which fail within seconds.
    pub is_first: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Waiting,
    Running,
    Succeeded,
    Failed,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    nodes: Vec<Node>,
    states: Vec<State>,
    /// The total time of each step and all steps that depend on it.
    loads: Vec<f64>,
    lanes: usize,
}

impl Schedule {
    /// Creates a schedule for a number of lanes. Dependencies must precede their dependents.
    pub(crate) fn new(nodes: Vec<Node>, lanes: usize) -> Self {
        let loads = (0..nodes.len()).map(|index| load(&nodes, index)).collect();
        Self { states: vec![State::Waiting; nodes.len()], nodes, loads, lanes }
    }

    /// Marks the step that should start now as running and returns its index.
    pub(crate) fn start_next(&mut self) -> Option<usize> {
        let ready = (0..self.nodes.len()).filter(|index| self.can_start(*index));
        let next = ready.max_by(|one, other| {
            let ((is_first, load), (other_is_first, other_load)) = (self.priority(*one), self.priority(*other));
            is_first.cmp(&other_is_first).then(load.total_cmp(&other_load))
        })?;
        self.set(next, State::Running);
        Some(next)
    }

    /// Records the end of a step. Returns the steps that can no longer run because of it.
    pub(crate) fn finish(&mut self, index: usize, succeeded: bool) -> Vec<usize> {
        self.set(index, if succeeded { State::Succeeded } else { State::Failed });
        let mut missed = Vec::new();
        if !succeeded {
            for (later, node) in self.nodes.iter().enumerate() {
                let is_missed = node.needs.iter().any(|need| *need == index || missed.contains(need));
                if is_missed && self.state(later) == State::Waiting {
                    missed.push(later);
                }
            }
            for later in &missed {
                self.set(*later, State::Failed);
            }
        }
        missed
    }

    pub(crate) fn is_over(&self) -> bool {
        self.states.iter().all(|state| matches!(state, State::Succeeded | State::Failed))
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|index| self.state(*index) == State::Running)
    }

    fn can_start(&self, index: usize) -> bool {
        let Some(node) = self.nodes.get(index) else { return false };
        self.state(index) == State::Waiting
            && node.needs.iter().all(|need| self.state(*need) == State::Succeeded)
            && node.occupies.iter().all(|resource| self.is_free(*resource))
            && !self.running().any(|other| self.occupies(other, Resource::Machine))
    }

    fn is_free(&self, resource: Resource) -> bool {
        let users = self.running().filter(|index| self.occupies(*index, resource)).count();
        match resource {
            Resource::Lane => users < self.lanes,
            Resource::Compiler | Resource::PackageManager | Resource::Session => users == 0,
            // Comes last, so that no other step has to wait for the machine to become quiet.
            Resource::Machine => {
                let is_open = |index: &usize| matches!(self.state(*index), State::Waiting | State::Running);
                (0..self.nodes.len())
                    .filter(is_open)
                    .all(|index| self.state(index) == State::Waiting && self.occupies(index, Resource::Machine))
            }
        }
    }

    fn occupies(&self, index: usize, resource: Resource) -> bool {
        self.nodes.get(index).is_some_and(|node| node.occupies.contains(&resource))
    }

    fn priority(&self, index: usize) -> (bool, f64) {
        let is_first = self.nodes.get(index).is_some_and(|node| node.is_first);
        (is_first, self.loads.get(index).copied().unwrap_or_default())
    }

    fn state(&self, index: usize) -> State {
        self.states.get(index).copied().unwrap_or(State::Failed)
    }

    fn set(&mut self, index: usize, state: State) {
        if let Some(place) = self.states.get_mut(index) {
            *place = state;
        }
    }
}

/// Returns the total time of a step and all steps that depend on it.
fn load(nodes: &[Node], index: usize) -> f64 {
    let mut waiting = vec![index];
    for (later, node) in nodes.iter().enumerate().skip(index + 1) {
        if node.needs.iter().any(|need| waiting.contains(need)) {
            waiting.push(later);
        }
    }
    waiting.iter().filter_map(|index| nodes.get(*index)).map(|node| node.seconds).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(seconds: f64, needs: &[usize], occupies: &[Resource]) -> Node {
        Node { needs: needs.to_vec(), occupies: occupies.to_vec(), seconds, is_first: false }
    }

    fn started(schedule: &mut Schedule) -> Vec<usize> {
        std::iter::from_fn(|| schedule.start_next()).collect()
    }

    #[test]
    fn the_step_for_which_most_work_waits_starts_first() {
        let nodes = vec![
            node(10.0, &[], &[Resource::Compiler]),
            node(1.0, &[], &[Resource::Compiler]),
            node(6.0, &[1], &[Resource::Lane]),
            node(6.0, &[1], &[Resource::Lane]),
        ];
        let mut schedule = Schedule::new(nodes, 2);
        assert_eq!(started(&mut schedule), [1]);
        assert!(schedule.finish(1, true).is_empty());
        let next = started(&mut schedule);
        assert_eq!(next.len(), 3);
        assert!([0, 2, 3].iter().all(|index| next.contains(index)), "{next:?}");
    }

    #[test]
    fn work_that_waits_for_two_steps_of_a_chain_counts_once() {
        let nodes = vec![node(1.0, &[], &[]), node(2.0, &[0], &[]), node(4.0, &[0, 1], &[]), node(8.0, &[], &[])];
        assert_eq!(Schedule::new(nodes, 2).loads, [7.0, 6.0, 4.0, 8.0]);
    }

    #[test]
    fn linters_start_before_all_else() {
        let nodes = vec![
            node(100.0, &[], &[Resource::Compiler]),
            Node { is_first: true, ..node(1.0, &[], &[Resource::Compiler]) },
        ];
        assert_eq!(started(&mut Schedule::new(nodes, 1)), [1]);
    }

    #[test]
    fn there_are_as_many_tests_at_a_time_as_lanes_and_a_compiler_beside_them() {
        let lane = || node(1.0, &[], &[Resource::Lane]);
        let nodes = vec![lane(), lane(), lane(), node(1.0, &[], &[Resource::Compiler])];
        let mut schedule = Schedule::new(nodes, 2);
        assert_eq!(started(&mut schedule).len(), 3);
        assert_eq!(schedule.running().filter(|index| *index < 3).count(), 2);
    }

    #[test]
    fn a_quiet_machine_is_the_last_thing_and_serves_one_step_at_a_time() {
        let quiet = || node(50.0, &[], &[Resource::Lane, Resource::Machine]);
        let nodes = vec![quiet(), quiet(), node(1.0, &[], &[Resource::Lane]), node(1.0, &[2], &[])];
        let mut schedule = Schedule::new(nodes, 2);
        assert_eq!(started(&mut schedule), [2]);
        schedule.finish(2, true);
        assert_eq!(started(&mut schedule), [3]);
        schedule.finish(3, true);
        let first = started(&mut schedule);
        assert_eq!(first.len(), 1);
        schedule.finish(first[0], true);
        assert_eq!(started(&mut schedule).len(), 1);
        assert!(!schedule.is_over());
    }

    #[test]
    fn what_needs_a_step_that_failed_is_missed_and_the_rest_goes_on() {
        let nodes = vec![node(1.0, &[], &[]), node(1.0, &[0], &[]), node(1.0, &[1], &[]), node(1.0, &[], &[])];
        let mut schedule = Schedule::new(nodes, 2);
        assert_eq!(started(&mut schedule).len(), 2);
        assert_eq!(schedule.finish(0, false), [1, 2]);
        assert!(schedule.finish(3, true).is_empty());
        assert!(schedule.is_over());
    }
}
