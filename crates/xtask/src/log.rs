//! Runs programs for a step. Their output goes into a file under `target/xtask`.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::config::Config;

/// The time limit of a program. None takes nearly as long. A hanging program must not cost the results of all others.
const DEADLINE: Duration = Duration::from_mins(30);

/// The time between two checks if a program has ended, short enough for the shortest steps.
const POLL: Duration = Duration::from_millis(20);

/// The log of one step.
#[derive(Debug)]
pub(crate) struct Log {
    pub path: PathBuf,
    file: File,
}

impl Log {
    pub(crate) fn create(config: &Config, step: &str) -> Result<Self> {
        let path = config.logs().join(format!("{}.log", slug(step)));
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// Runs a program, and fails if it does.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<()> {
        let status = self.status(command)?;
        if !status.success() {
            bail!("{} failed with {status}", command.get_program().display());
        }
        Ok(())
    }

    /// Runs a program. Returns true if it succeeded.
    pub(crate) fn try_run(&mut self, command: &mut Command) -> Result<bool> {
        Ok(self.status(command)?.success())
    }

    /// The output of the programs so far.
    pub(crate) fn text(&self) -> String {
        fs::read(&self.path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn status(&mut self, command: &mut Command) -> Result<ExitStatus> {
        let name = command.get_program().display().to_string();
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        writeln!(self.file, "$ {name} {}", arguments.join(" "))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(self.file.try_clone()?)
            .stderr(self.file.try_clone()?)
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if began.elapsed() > DEADLINE {
                child.kill()?;
                child.wait()?;
                bail!("{name} did not end within {} minutes", DEADLINE.as_secs() / 60);
            }
            thread::sleep(POLL);
        }
    }
}

/// Returns a name in a form that is safe in file names.
pub(crate) fn slug(name: &str) -> String {
    let text: String = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    text.to_ascii_lowercase()
}
