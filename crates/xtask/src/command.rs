//! Running other programs, with a line that says what runs and how long that usually takes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::config::Config;

/// Says what is about to happen, runs the program, and fails when it does.
///
/// What the program prints goes into a file under `target/xtask`; it is shown when the program fails.
pub(crate) fn quietly(config: &Config, what: &str, usually: &str, command: &mut Command) -> Result<()> {
    eprintln!("{what} (usually {usually})");
    let folder = config.root.join("target/xtask");
    fs::create_dir_all(&folder)?;
    let log = folder.join(format!("{}.log", slug(what)));
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let began = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| format!("cannot run {}", name(command)))?;
    if status.success() {
        let seconds = began.elapsed().as_secs();
        if seconds > 0 {
            eprintln!("  done in {seconds} s");
        }
        return Ok(());
    }
    eprintln!("{}", fs::read_to_string(&log).unwrap_or_default());
    bail!("{what}: {} failed with {status}", name(command))
}

/// Runs a program, shows what it prints, and returns it, with whether the program succeeded.
pub(crate) fn watched(what: &str, usually: &str, command: &mut Command) -> Result<(bool, String)> {
    eprintln!("\n== {what} (usually {usually})");
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("cannot run {}", name(command)))?;
    let output = child.stdout.take().context("a child without output")?;
    let mut text = String::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        text.push_str(&line);
        text.push('\n');
    }
    let status = child.wait()?;
    eprintln!("== {what}: {} in {} s", if status.success() { "done" } else { "failed" }, began.elapsed().as_secs());
    Ok((status.success(), text))
}

/// What a program prints, or none if it cannot run or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut text = String::new();
    child.stdout.take()?.read_to_string(&mut text).ok()?;
    child.wait().ok()?.success().then_some(text)
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn slug(what: &str) -> String {
    let text: String = what.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    text.to_ascii_lowercase()
}
