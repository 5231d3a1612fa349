//! The short run: every target, with inputs determined by a seed. With a target and a file as arguments, it runs only
//! that input, which reproduces a find.
//!
//! Tier: default; --full tries eight times as many cases.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::disallowed_methods, reason = "these methods are disallowed only on wasm")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use luau_fuzz::{TARGETS, Target};

/// A fixed seed, so that a failing test fails again. Change it only to try other cases.
const SEED: u64 = 0x6c75_6175;

const USAGE: &str = "Usage: fuzz [--seed N] | fuzz --seconds N | fuzz --list | fuzz TARGET FILE";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    keep_finds();
    match args.as_slice() {
        [] => short(SEED),
        ["--list"] => TARGETS.iter().for_each(|target| println!("{}", target.name)),
        ["--seed", seed] if let Some(seed) = number(seed) => short(seed),
        ["--seconds", seconds] if let Some(seconds) = number(seconds) => {
            let (began, mut seed) = (Instant::now(), SEED);
            while began.elapsed() < Duration::from_secs(seconds) {
                seed += 1;
                short(seed);
            }
        }
        [name, file] if let Some(target) = find(name) => return again(target, Path::new(file)),
        _ => {
            eprintln!("{USAGE}\nTargets: {}", TARGETS.map(|target| target.name).join(", "));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn find(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

fn short(seed: u64) {
    let mut random = Random(seed);
    let mut counts = Vec::new();
    let mut sum = 0;
    // The same tier as for the tests in Node.
    let factor = if env::var("TEST_TIER").is_ok_and(|tier| tier == "full") { 8 } else { 1 };
    for target in TARGETS {
        let began = Instant::now();
        let cases = target.cases * factor;
        let mut input = Vec::new();
        for _ in 0..cases {
            random.fill(&mut input, target.longest);
            run(target, &input);
        }
        sum += cases;
        counts.push(format!("{} {cases} in {:.1} s", target.name, began.elapsed().as_secs_f64()));
    }
    println!("fuzz: {sum} cases with seed {seed} ({})", counts.join(", "));
}

fn again(target: Target, file: &Path) -> ExitCode {
    match fs::read(file) {
        Ok(input) => {
            run(target, &input);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

thread_local! {
    /// The case that is running.
    static CASE: RefCell<Option<(Target, Vec<u8>)>> = const { RefCell::new(None) };
}

fn run(target: Target, input: &[u8]) {
    CASE.replace(Some((target, input.to_vec())));
    (target.run)(input);
    CASE.replace(None);
}

/// Makes a panic end the run at once. mlua would carry a panic from a callback through Luau code that might catch it.
fn keep_finds() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tell(info);
        if let Some((target, input)) = CASE.take() {
            let file =
                PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/finds").join(target.name).join("find");
            let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, input));
            match written {
                Ok(()) => eprintln!("\nreproduce it with: cargo xtask fuzz {} --input {}", target.name, file.display()),
                Err(error) => eprintln!("cannot write {}: {error}", file.display()),
            }
        }
        std::process::abort();
    }));
}

/// A generator that is the same everywhere: a mixed Weyl sequence.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ (mixed >> 32)
    }

    /// Fills the input. Short inputs are as frequent as long ones, because faults are easier to see in them.
    fn fill(&mut self, input: &mut Vec<u8>, longest: usize) {
        let most = longest >> (self.next() % 4);
        let length = usize::try_from(self.next()).unwrap_or_default() % most.max(1) + 1;
        input.clear();
        while input.len() < length {
            input.extend(self.next().to_le_bytes());
        }
        input.truncate(length);
    }
}
