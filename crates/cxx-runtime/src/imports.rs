//! Checks that a finished module imports nothing but wasm-bindgen's glue.
//!
//! The linker turns an undefined function into an import, and the module then fails in the browser, far from the cause.
//! A build tool calls [`foreign`] on the module, before or after `wasm-bindgen`, and fails if it lists any.

use std::fmt;

use wasmparser::{Parser, Payload};

/// An import, with its names in the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The module that it is imported from, such as `env` or `wasi_snapshot_preview1`.
    pub module: String,
    /// The name in that module.
    pub name: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

/// Returns the imports of `wasm` that are not wasm-bindgen's.
///
/// wasm-bindgen's imports come from modules named `__wbindgen_…` before its command-line tool has run. Afterwards they come
/// from `wbg`, or from a script next to the module.
///
/// # Errors
/// Returns an error if the bytes are not a WebAssembly module.
pub fn foreign(wasm: &[u8]) -> Result<Vec<Import>, wasmparser::BinaryReaderError> {
    let mut foreign = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let import = import?;
                if !is_glue(import.module) {
                    foreign.push(Import { module: import.module.to_owned(), name: import.name.to_owned() });
                }
            }
        }
    }
    Ok(foreign)
}

fn is_glue(module: &str) -> bool {
    module.starts_with("__wbindgen_") || module == "wbg" || module.starts_with("./")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a module that imports a function of type 0 from each of the given modules.
    #[expect(clippy::cast_possible_truncation, reason = "the modules of the tests are short")]
    fn module(imports: &[(&str, &str)]) -> Vec<u8> {
        let mut section = vec![imports.len() as u8];
        for (module, name) in imports {
            for text in [module, name] {
                section.push(text.len() as u8);
                section.extend_from_slice(text.as_bytes());
            }
            section.extend_from_slice(&[0x00, 0x00]);
        }
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        wasm.extend_from_slice(&[0x01, 0x04, 0x01, 0x60, 0x00, 0x00]);
        wasm.push(0x02);
        wasm.push(section.len() as u8);
        wasm.extend(section);
        wasm
    }

    #[test]
    fn glue_is_not_foreign() {
        let wasm = module(&[("__wbindgen_placeholder__", "a"), ("./luau_bg.js", "b"), ("wbg", "c")]);
        assert_eq!(foreign(&wasm).unwrap(), []);
    }

    #[test]
    fn all_else_is_foreign_and_named() {
        let wasm = module(&[("env", "clock"), ("wbg", "x"), ("wasi_snapshot_preview1", "fd_read")]);
        let names: Vec<String> = foreign(&wasm).unwrap().iter().map(Import::to_string).collect();
        assert_eq!(names, ["env.clock", "wasi_snapshot_preview1.fd_read"]);
    }

    #[test]
    fn what_is_no_module_is_an_error() {
        assert!(foreign(b"not a module").is_err());
    }
}
