//! Native Luau for the benchmarks. It reads workloads as lines of JSON and answers with times.
//!
//! `{"load": source}` creates a new VM and runs the source in it, which defines the global function `bench`. `{"run":
//! n}` calls that function with `n`; the answer has its duration in milliseconds and its result. Errors are answers
//! too.

#![allow(clippy::disallowed_methods, reason = "these methods are disallowed only on wasm")]

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use mlua::{Function, Lua, Value};
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Request {
    Load(String),
    Run(u32),
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ready,
    Done { ms: f64, value: String },
    Error(String),
}

fn main() -> Result<()> {
    let mut workload = None;
    for line in stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Request::Load(source) => load(&source).map(|function| {
                workload = Some(function);
                Answer::Ready
            }),
            Request::Run(count) => run(workload.as_ref(), count),
        };
        let answer = answer.unwrap_or_else(|error| Answer::Error(error.to_string()));
        let mut output = stdout().lock();
        serde_json::to_writer(&mut output, &answer)?;
        writeln!(output)?;
        output.flush()?;
    }
    Ok(())
}

/// A workload and its VM: a function alone does not keep its VM alive.
type Workload = (Lua, Function);

fn load(source: &str) -> Result<Workload> {
    let lua = Lua::new();
    // The module does the same by default.
    lua.sandbox(true)?;
    lua.load(source).set_name("=workload").exec()?;
    let bench = lua.globals().get("bench")?;
    Ok((lua, bench))
}

fn run(workload: Option<&Workload>, count: u32) -> Result<Answer> {
    let (_, bench) = workload.ok_or("no workload is loaded")?;
    let began = Instant::now();
    let value: Value = bench.call(count)?;
    let ms = began.elapsed().as_secs_f64() * 1_000.0;
    Ok(Answer::Done { ms, value: value.to_string()? })
}
