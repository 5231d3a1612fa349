//! The checker: Luau's analysis, with the globals of a script declared.

use std::sync::Arc;

use luaur::analysis::enums::solver_mode::SolverMode;
use luaur::analysis::functions::attach_require_magic::attach_require_magic;
use luaur::analysis::functions::find_binding_at_position::find_binding_at_position;
use luaur::analysis::functions::find_type_at_position::find_type_at_position;
use luaur::analysis::functions::freeze::freeze;
use luaur::analysis::functions::get_global_binding::get_global_binding;
use luaur::analysis::functions::register_builtin_globals::register_builtin_globals;
use luaur::analysis::functions::to_string_error::to_string_type_error;
use luaur::analysis::functions::to_string_to_string_alt_c::to_string_type_id;
use luaur::analysis::functions::unfreeze::unfreeze;
use luaur::analysis::records::frontend::Frontend;
use luaur::analysis::records::frontend_options::FrontendOptions;
use luaur::analysis::type_aliases::type_error_data::TypeErrorData;
use luaur::ast::records::location::Location;

use crate::files::{Files, Settings};
use crate::lines::{Lines, Place};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The types do not fit.
    Error,
    /// They do, but it is hardly what was meant.
    Warning,
}

/// What is wrong with a source, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it begins.
    pub start: Place,
    /// The first place after it.
    pub end: Place,
    /// In the words of Luau's analysis.
    pub message: String,
    /// How bad it is.
    pub severity: Severity,
}

/// Checks files that may require each other. It keeps what it has found out, so that only what changed is checked again.
pub struct Checker {
    /// It points to the other two and to itself: each has a place on the heap that it keeps.
    frontend: Box<Frontend>,
    files: Box<Files>,
    _settings: Box<Settings>,
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

impl Checker {
    /// A checker that knows of no files, and of no globals but Luau's own.
    #[must_use]
    pub fn new() -> Self {
        let mut files = Box::new(Files::new());
        let mut settings = Box::new(Settings::new());
        let options = FrontendOptions {
            // For `type_at`.
            retain_full_type_graphs: true,
            run_lint_checks: true,
            ..FrontendOptions::default()
        };
        let mut frontend = Box::new(Frontend::frontend_file_resolver_config_resolver_frontend_options(
            &raw mut files.base,
            &raw mut settings.base,
            &options,
        ));
        // SAFETY: it stays in its box as long as it lives.
        unsafe { frontend.wire_self_pointers() };
        // The other one is not finished in the port.
        frontend.set_luau_solver_mode(SolverMode::Old);
        let mut checker = Self { frontend, files, _settings: settings };
        checker.change_globals(|frontend| {
            let globals: *mut _ = &raw mut frontend.globals;
            // SAFETY: the function wants the part beside the whole, as in C++; both are alive, and nobody else has them.
            unsafe { register_builtin_globals(&mut *frontend, &mut *globals, false) };
        });
        checker
    }

    /// Declares the globals and types of a definition file, for all files.
    ///
    /// # Errors
    ///
    /// What is wrong with the definitions; none of them is declared then.
    pub fn define(&mut self, name: &str, definitions: &str) -> Result<(), Vec<Diagnostic>> {
        let lines = Lines::new(definitions);
        let result = self.change_globals(|frontend| {
            let scope = frontend.globals.global_scope();
            let globals: *mut _ = &raw mut frontend.globals;
            // SAFETY: as in `new`.
            let globals = unsafe { &mut *globals };
            let result = frontend.load_definition_file(globals, scope, definitions, format!("@{name}"), false, false);
            // Whoever declares it anew still means the function that the analysis knows by its tag.
            attach_require_magic(get_global_binding(&mut frontend.globals, "require"));
            result
        });
        self.frontend.clear();
        if result.success {
            return Ok(());
        }
        let syntax =
            result.parse_result.errors.iter().map(|error| (*error.get_location(), error.get_message().to_owned()));
        let types = result.module.iter().flat_map(|module| &module.errors);
        let types = types.map(|error| (error.location, to_string_type_error(error)));
        Err(syntax.chain(types).map(|(at, message)| diagnostic(&lines, at, message, Severity::Error)).collect())
    }

    /// Gives it the files there are: their paths from the root, without an extension, and their sources.
    pub fn set_files(&mut self, files: impl IntoIterator<Item = (String, String)>) {
        let before = std::mem::take(&mut self.files.sources);
        self.files.sources.extend(files);
        let after = &self.files.sources;
        if !before.keys().eq(after.keys()) {
            // What a `require` means may have changed anywhere.
            self.frontend.clear();
            return;
        }
        for (name, source) in after {
            if before.get(name) != Some(source) {
                self.frontend.mark_dirty(name, None);
            }
        }
    }

    /// What is wrong with the types of a file, in the order of the source. Nothing if it is not a Luau program: the compiler says
    /// so better, and of a program that was guessed types are noise.
    pub fn check(&mut self, name: &str) -> Vec<Diagnostic> {
        let Some(source) = self.files.sources.get(name) else {
            return Vec::new();
        };
        let result = self.frontend.check_module_name_optional_frontend_options(&name.to_owned(), None);
        // Those of the modules that it requires are among them.
        let errors: Vec<_> = result.errors.iter().filter(|error| error.module_name == name).collect();
        if errors.iter().any(|error| matches!(error.data, TypeErrorData::SyntaxError(_))) {
            return Vec::new();
        }
        let lines = Lines::new(source);
        let errors = errors
            .into_iter()
            .map(|error| diagnostic(&lines, error.location, to_string_type_error(error), Severity::Error));
        let warnings = result.lint_result.errors.iter().chain(&result.lint_result.warnings);
        let warnings = warnings.map(|lint| diagnostic(&lines, lint.location, lint.text.clone(), Severity::Warning));
        let mut all: Vec<Diagnostic> = errors.chain(warnings).collect();
        all.sort_by_key(|diagnostic| (diagnostic.start, diagnostic.end));
        all.dedup();
        all
    }

    /// The type of the name or the expression at a place.
    pub fn type_at(&mut self, name: &str, place: Place) -> Option<String> {
        let source = self.files.sources.get(name)?;
        let position = Lines::new(source).position(place);
        let name = name.to_owned();
        self.frontend.check_module_name_optional_frontend_options(&name, None);
        let module = self.frontend.module_resolver.get_module(&name);
        let source_module = self.frontend.source_modules.get(&name).map(Arc::clone)?;
        let found = find_binding_at_position(&module, &source_module, position).map(|binding| binding.type_id);
        let found = found.or_else(|| find_type_at_position(&module, &source_module, position))?;
        Some(to_string_type_id(found))
    }

    /// Globals can be changed only while they are not frozen.
    fn change_globals<R>(&mut self, change: impl FnOnce(&mut Frontend) -> R) -> R {
        unfreeze(self.frontend.globals.global_types_mut());
        let result = change(&mut self.frontend);
        freeze(self.frontend.globals.global_types_mut());
        result
    }
}

fn diagnostic(lines: &Lines, at: Location, message: String, severity: Severity) -> Diagnostic {
    Diagnostic { start: lines.place(at.begin), end: lines.place(at.end), message, severity }
}
