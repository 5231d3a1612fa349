//! Native Luau for the benchmarks: it is sent workloads as lines of JSON, and answers with times.
//!
//! `{"load": source}` makes a new VM and runs the source in it, which defines the global function `bench`. `{"run": n}`
//! calls that function with `n`, and is answered with the milliseconds it took and what it returned. An error is an answer
//! too.

#![allow(clippy::disallowed_methods, reason = "what must not be called is so on wasm only")]

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

/// The workload, and the VM that it is in: a function alone does not keep its VM.
type Workload = (Lua, Function);

fn load(source: &str) -> Result<Workload> {
    let lua = Lua::new();
    // As the module does it by default.
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
