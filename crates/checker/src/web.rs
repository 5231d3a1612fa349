//! The interface of the checker for the playground's worker.

use wasm_bindgen::prelude::*;

use crate::{Checker, Place, Severity};

/// The checker, for JS.
#[wasm_bindgen(js_name = Checker)]
#[derive(Default)]
pub struct WebChecker {
    checker: Checker,
}

/// A problem in a source, for JS. Places count from 1, and columns are in UTF-16 code units.
#[wasm_bindgen(js_name = Finding)]
#[derive(Debug)]
pub struct WebDiagnostic {
    /// The first line.
    pub line: u32,
    /// The first column.
    pub column: u32,
    /// The last line.
    #[wasm_bindgen(js_name = endLine)]
    pub end_line: u32,
    /// The last column, exclusive.
    #[wasm_bindgen(js_name = endColumn)]
    pub end_column: u32,
    /// True for a warning: the types match, but the code is probably not what its author meant.
    #[wasm_bindgen(js_name = isWarning)]
    pub is_warning: bool,
    message: String,
}

#[wasm_bindgen(js_class = Finding)]
impl WebDiagnostic {
    /// Returns the message of Luau's analysis.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn message(&self) -> String {
        self.message.clone()
    }
}

#[wasm_bindgen(js_class = Checker)]
impl WebChecker {
    /// Creates a checker without files, and with no globals but Luau's own.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        console_error_panic_hook::set_once();
        Self::default()
    }

    /// Declares the globals and types of a definition file.
    ///
    /// # Errors
    /// Returns the first problem in the definitions.
    pub fn define(&mut self, name: &str, definitions: &str) -> Result<(), JsError> {
        self.checker.define(name, definitions).map_err(|found| {
            let first = found.first().map(|found| format!(":{}: {}", found.start.line, found.message));
            JsError::new(&format!("{name}{}", first.unwrap_or_default()))
        })
    }

    /// Sets the files: their names, and their sources in the same order.
    #[wasm_bindgen(js_name = setFiles)]
    pub fn set_files(&mut self, names: Vec<String>, sources: Vec<String>) {
        self.checker.set_files(names.into_iter().zip(sources));
    }

    /// Returns the problems in a file.
    #[must_use]
    pub fn check(&mut self, name: &str) -> Vec<WebDiagnostic> {
        let found = self.checker.check(name).into_iter();
        found
            .map(|found| WebDiagnostic {
                line: found.start.line,
                column: found.start.column,
                end_line: found.end.line,
                end_column: found.end.column,
                is_warning: found.severity == Severity::Warning,
                message: found.message,
            })
            .collect()
    }

    /// Returns the type of the expression at a place.
    #[wasm_bindgen(js_name = typeAt)]
    #[must_use]
    pub fn type_at(&mut self, name: &str, line: u32, column: u32) -> Option<String> {
        self.checker.type_at(name, Place { line, column })
    }
}
