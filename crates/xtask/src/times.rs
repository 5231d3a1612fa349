//! The usual durations of steps: the last ones on this machine, or those in `times.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::config::Config;

/// Seconds on two cores, for the first run.
const RECORDED: &str = include_str!("../times.toml");

/// The estimate for a step that was never measured.
const UNKNOWN: f64 = 5.0;

#[derive(Debug)]
pub(crate) struct Times {
    seconds: BTreeMap<String, f64>,
}

impl Times {
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let mut seconds: BTreeMap<String, f64> = toml::from_str(RECORDED).context("times.toml is not as expected")?;
        // The times are only hints, so an unreadable file does no harm.
        let own: Option<BTreeMap<_, _>> =
            fs::read_to_string(Self::file(config)).ok().and_then(|text| toml::from_str(&text).ok());
        seconds.extend(own.unwrap_or_default());
        Ok(Self { seconds })
    }

    pub(crate) fn of(&self, step: &str) -> f64 {
        self.seconds.get(step).copied().unwrap_or(UNKNOWN)
    }

    pub(crate) fn record(&mut self, step: &str, seconds: f64) {
        self.seconds.insert(step.to_owned(), (seconds * 10.0).round() / 10.0);
    }

    pub(crate) fn write(&self, config: &Config) -> Result<()> {
        let file = Self::file(config);
        fs::write(&file, toml::to_string(&self.seconds)?).with_context(|| format!("cannot write {}", file.display()))
    }

    fn file(config: &Config) -> PathBuf {
        config.logs().join("times.toml")
    }
}

/// Formats a duration.
pub(crate) fn shown(seconds: f64) -> String {
    if seconds < 90.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}
