//! The type checker of the playground: Luau's own analysis, in its Rust port `luaur`, with the definitions of our
//! libraries in `types/`.
//!
//! It is a module of its own, so that the package does not grow, and contains none of Luau's C++. If the port panics or
//! hangs, its worker is ended and another one started, so nothing here has to catch that.
//!
//! - [`checker`]: the checker, which keeps the files and its results
//! - `files`: how the analysis reads files and resolves `require`
//! - `path`: the rules for paths, shared with the package as the same file
//! - `lines`: conversion between bytes and UTF-16 code units
//! - `throws`: a workaround for blocks that end with an error, which the port does not recognize
//! - `web`: the interface for the worker

pub mod checker;
mod files;
mod lines;
#[path = "../../luau-runtime/src/modules/path.rs"]
mod path;
mod throws;
mod web;

pub use checker::{Checker, Diagnostic, Severity};
pub use lines::Place;
