//! What the worker of the playground sees of the checker.

use wasm_bindgen::prelude::*;

use crate::{Checker, Place, Severity};

/// The checker, for JS.
#[wasm_bindgen(js_name = Checker)]
#[derive(Default)]
pub struct WebChecker {
    checker: Checker,
}

/// What is wrong with a source, for JS: places count from 1, columns in UTF-16 code units.
#[wasm_bindgen(js_name = Finding)]
#[derive(Debug)]
pub struct WebDiagnostic {
    /// The line in which it begins.
    pub line: u32,
    /// The column in which it begins.
    pub column: u32,
    /// The line in which it ends.
    #[wasm_bindgen(js_name = endLine)]
    pub end_line: u32,
    /// The first column after it.
    #[wasm_bindgen(js_name = endColumn)]
    pub end_column: u32,
    /// Whether the types fit, and it is hardly what was meant.
    #[wasm_bindgen(js_name = isWarning)]
    pub is_warning: bool,
    message: String,
}

#[wasm_bindgen(js_class = Finding)]
impl WebDiagnostic {
    /// In the words of Luau's analysis.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn message(&self) -> String {
        self.message.clone()
    }
}

#[wasm_bindgen(js_class = Checker)]
impl WebChecker {
    /// A checker that knows of no files, and of no globals but Luau's own.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        console_error_panic_hook::set_once();
        Self::default()
    }

    /// Declares the globals and types of a definition file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn define(&mut self, name: &str, definitions: &str) -> Result<(), JsError> {
        self.checker.define(name, definitions).map_err(|found| {
            let first = found.first().map(|found| format!(":{}: {}", found.start.line, found.message));
            JsError::new(&format!("{name}{}", first.unwrap_or_default()))
        })
    }

    /// Gives it the files there are: their names, and their sources in the same order.
    #[wasm_bindgen(js_name = setFiles)]
    pub fn set_files(&mut self, names: Vec<String>, sources: Vec<String>) {
        self.checker.set_files(names.into_iter().zip(sources));
    }

    /// What is wrong with the types of a file.
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

    /// The type of what stands at a place.
    #[wasm_bindgen(js_name = typeAt)]
    #[must_use]
    pub fn type_at(&mut self, name: &str, line: u32, column: u32) -> Option<String> {
        self.checker.type_at(name, Place { line, column })
    }
}
