//! The type checker of the playground: Luau's own analysis, in its Rust port `luaur`, told of our libraries by the
//! definitions in `types/`.
//!
//! It is a module of its own, so that the package does not grow by it, and none of Luau's C++ is in it. Where the port panics
//! or runs in circles, the worker that it runs in is ended and another one started: nothing here has to catch that.
//!
//! - [`checker`]: the checker; it keeps the files and what it found out about them
//! - `files`: how the analysis gets at the files, and what `require` finds
//! - `path`: the rules of paths, which are those of the package: the very same file
//! - `lines`: its places in bytes, and an editor's in UTF-16 code units
//! - `throws`: blocks that are left by an error, which the port takes for such that go on
//! - `web`: what the worker sees of it

pub mod checker;
mod files;
mod lines;
#[path = "../../../src/modules/path.rs"]
mod path;
mod throws;
mod web;

pub use checker::{Checker, Diagnostic, Severity};
pub use lines::Place;
