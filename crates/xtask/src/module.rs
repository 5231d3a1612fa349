//! A finished WebAssembly module.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasmparser::{Parser, Payload};

pub(crate) fn read(module: &Path) -> Result<Vec<u8>> {
    fs::read(module).with_context(|| format!("wasm-pack left no module: {}", module.display()))
}

/// Removes the function names from a module, which are an eighth of the download. Only the stack traces of engines show
/// them, and our panics name their location anyway. The linker cannot leave them out, because wasm-bindgen needs them.
pub(crate) fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    let mut kept = Vec::with_capacity(module.len());
    let mut start = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("wasm-pack made no WebAssembly module")?;
        let end = match &payload {
            Payload::Version { range, .. } => range.end,
            other => match other.as_section() {
                Some((_, range)) => range.end,
                // Part of a section that was already handled as a whole.
                None => continue,
            },
        };
        let is_for_tools = matches!(&payload, Payload::CustomSection(section) if section.name() != "target_features");
        if !is_for_tools {
            kept.extend(module.get(start..end).unwrap_or_default());
        }
        start = end;
    }
    Ok(kept)
}

/// Fails if the module imports something that wasm-bindgen's glue does not provide.
pub(crate) fn check_imports(module: &Path) -> Result<()> {
    let foreign = cxx_runtime::imports::foreign(&read(module)?)?;
    if !foreign.is_empty() {
        let names: Vec<String> = foreign.iter().map(ToString::to_string).collect();
        bail!(
            "{} imports functions that no page provides: {}. Some C or C++ code calls them: implement them in \
             crates/cxx-runtime/src/system.rs, or leave that code out",
            module.display(),
            names.join(", ")
        );
    }
    Ok(())
}
