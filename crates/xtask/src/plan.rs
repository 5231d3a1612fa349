//! Collects the steps that make something, and runs those that a command needs.

use anyhow::Result;

use crate::config::Config;
use crate::step::{Step, select};
use crate::{build, docs, package, runner, setup, site};

/// Every step that installs or builds something.
pub(crate) fn build_steps(config: &Config) -> Vec<Step<'_>> {
    let mut steps = setup::steps(config);
    steps.extend(build::steps(config));
    steps.extend([package::step(config), site::step(config), docs::step(config)]);
    steps
}

/// Makes the named steps with all their dependencies.
pub(crate) fn make(config: &Config, names: &[&str]) -> Result<()> {
    setup::check_machine(config)?;
    runner::make(config, select(build_steps(config), |step| names.contains(&step.name.as_str())))
}
