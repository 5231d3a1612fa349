//! The checker: Luau's analysis with the globals that our scripts have.

use luaur::analysis::enums::solver_mode::SolverMode;
use luaur::analysis::functions::attach_require_magic::attach_require_magic;
use luaur::analysis::functions::find_expr_or_local_at_position::find_expr_or_local_at_position;
use luaur::analysis::functions::freeze::freeze;
use luaur::analysis::functions::get_global_binding::get_global_binding;
use luaur::analysis::functions::register_builtin_globals::register_builtin_globals;
use luaur::analysis::functions::to_string_error::to_string_type_error;
use luaur::analysis::functions::to_string_to_string_alt_b::to_string_type_id_to_string_options_mut;
use luaur::analysis::functions::unfreeze::unfreeze;
use luaur::analysis::records::frontend::Frontend;
use luaur::analysis::records::frontend_options::FrontendOptions;
use luaur::analysis::records::global_types::GlobalTypes;
use luaur::analysis::records::symbol::Symbol;
use luaur::analysis::records::to_string_options::ToStringOptions;
use luaur::analysis::records::type_error::TypeError;
use luaur::analysis::type_aliases::type_error_data::TypeErrorData;
use luaur::ast::records::ast_expr_constant_string::AstExprConstantString;
use luaur::ast::records::location::Location;
use luaur::ast::rtti::ast_node_as;

use crate::files::{Files, Settings};
use crate::lines::{Lines, Place};
use crate::throws;

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The types do not match.
    Error,
    /// The types match, but the code is probably not what its author meant.
    Warning,
}

/// A problem in a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The start of the problem.
    pub start: Place,
    /// The end, exclusive.
    pub end: Place,
    /// The message of Luau's analysis.
    pub message: String,
    /// The severity.
    pub severity: Severity,
}

/// The purpose of an analysis. The frontend keeps the results for each purpose apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Finds problems, in the mode that a file selects.
    Errors,
    /// Finds types for hovers. It is as strict as possible, to find types where nonstrict mode has none.
    Hover,
}

/// Checks files that may require each other. It caches its results, so that only changed files are checked again.
pub struct Checker {
    /// Points to the other two fields and to itself, so all three are boxed and stay in place.
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
    /// Creates a checker without files. Its only globals are Luau's own.
    #[must_use]
    pub fn new() -> Self {
        let mut files = Box::new(Files::new());
        let mut settings = Box::new(Settings::new());
        let options = FrontendOptions {
            // `type_at` needs them.
            retain_full_type_graphs: true,
            run_lint_checks: true,
            ..FrontendOptions::default()
        };
        let mut frontend = Box::new(Frontend::frontend_file_resolver_config_resolver_frontend_options(
            &raw mut files.base,
            &raw mut settings.base,
            &options,
        ));
        // SAFETY: The frontend stays in its box as long as it lives.
        unsafe { frontend.wire_self_pointers() };
        // luaur's port of the new solver is incomplete.
        frontend.set_luau_solver_mode(SolverMode::Old);
        let mut checker = Self { frontend, files, _settings: settings };
        for purpose in [Purpose::Errors, Purpose::Hover] {
            checker.change_globals(purpose, |frontend, globals| {
                register_builtin_globals(frontend, globals, purpose == Purpose::Hover);
            });
        }
        checker
    }

    /// Declares the globals and types of a definition file, for all files.
    ///
    /// # Errors
    ///
    /// Returns the problems in the definitions. If there are any, nothing is declared.
    pub fn define(&mut self, name: &str, definitions: &str) -> Result<(), Vec<Diagnostic>> {
        let [result, _] = [Purpose::Errors, Purpose::Hover].map(|purpose| {
            self.change_globals(purpose, |frontend, globals| {
                let package = format!("@{name}");
                let scope = globals.global_scope();
                let is_hover = purpose == Purpose::Hover;
                let result = frontend.load_definition_file(globals, scope, definitions, package, false, is_hover);
                // The analysis recognizes `require` by a tag. A new declaration of it needs the tag too.
                attach_require_magic(get_global_binding(globals, "require"));
                result
            })
        });
        self.frontend.clear();
        if result.success {
            return Ok(());
        }
        let lines = Lines::new(definitions);
        let syntax =
            result.parse_result.errors.iter().map(|error| (*error.get_location(), error.get_message().to_owned()));
        let types = result.module.iter().flat_map(|module| &module.errors);
        let types = types.map(|error| (error.location, to_string_type_error(error)));
        Err(syntax.chain(types).map(|(at, message)| diagnostic(&lines, at, message, Severity::Error)).collect())
    }

    /// Sets the files: paths relative to the root, without an extension, and sources.
    pub fn set_files(&mut self, files: impl IntoIterator<Item = (String, String)>) {
        let before = std::mem::take(&mut self.files.sources);
        self.files.sources.extend(files);
        let after = &self.files.sources;
        if !before.keys().eq(after.keys()) {
            // The target of any `require` may have changed.
            self.frontend.clear();
            return;
        }
        for (name, source) in after {
            if before.get(name) != Some(source) {
                self.frontend.mark_dirty(name, None);
            }
        }
    }

    /// Returns the problems in a file, in source order. Returns nothing if there is a syntax error: the compiler
    /// reports it better, and the parser had to guess the rest, so type errors would be noise.
    pub fn check(&mut self, name: &str) -> Vec<Diagnostic> {
        let Some(source) = self.files.sources.get(name) else {
            return Vec::new();
        };
        let lines = Lines::new(source);
        let name = name.to_owned();
        parse(&mut self.frontend, &name);
        let result = self.frontend.check_module_name_optional_frontend_options(&name, None);
        // The result also contains the errors of required modules.
        let errors: Vec<_> = result.errors.iter().filter(|error| error.module_name == name).collect();
        if errors.iter().any(|error| matches!(error.data, TypeErrorData::SyntaxError(_))) {
            return Vec::new();
        }
        let errors = errors
            .into_iter()
            .filter(|error| !is_false_positive(error, &lines))
            .map(|error| diagnostic(&lines, error.location, to_string_type_error(error), Severity::Error));
        let warnings = result.lint_result.errors.iter().chain(&result.lint_result.warnings);
        let warnings = warnings.filter(|lint| !throws::is_marker(lint.location));
        let warnings = warnings.map(|lint| diagnostic(&lines, lint.location, lint.text.clone(), Severity::Warning));
        let mut all: Vec<Diagnostic> = errors.chain(warnings).collect();
        all.sort_by_key(|diagnostic| (diagnostic.start, diagnostic.end));
        all.dedup();
        all
    }

    /// Returns the type of the variable, field or method whose name is at a place.
    pub fn type_at(&mut self, name: &str, place: Place) -> Option<String> {
        let lines = Lines::new(self.files.sources.get(name)?);
        let word = lines.word(lines.position(place))?;
        let name = name.to_owned();
        parse(&mut self.frontend, &name);
        let options = FrontendOptions { for_autocomplete: true, ..self.frontend.options.clone() };
        self.frontend.check_module_name_optional_frontend_options(&name, Some(options));
        let module = self.frontend.module_resolver_for_autocomplete.get_module(&name);
        let source_module = self.frontend.source_modules.get(&name)?;

        let found = find_expr_or_local_at_position(source_module, word.start);
        // A node that ends elsewhere only encloses the word, which may be in a comment, for example.
        if found.get_location()?.end != word.end {
            return None;
        }
        let (local, expression) = (found.get_local(), found.get_expr());
        let local_type = || {
            let symbol = Symbol::from_local(local);
            module.scopes.iter().find_map(|(_, scope)| scope.bindings.get(&symbol)).map(|binding| binding.type_id)
        };
        // SAFETY: The syntax tree lives as long as its module.
        let is_key = || !unsafe { ast_node_as::<AstExprConstantString>(expression.cast()) }.is_null();
        let found = match (local.is_null(), expression.is_null()) {
            (false, _) => local_type(),
            (true, false) if !is_key() => module.ast_types.find(&expression.cast_const()).copied(),
            _ => None,
        };
        let options = ToStringOptions { function_type_arguments: true, ..ToStringOptions::default() };
        Some(to_string_type_id_to_string_options_mut(found?, options))
    }

    /// Changes the globals for a purpose. They are frozen at all other times.
    fn change_globals<R>(&mut self, purpose: Purpose, change: impl FnOnce(&mut Frontend, &mut GlobalTypes) -> R) -> R {
        let frontend: *mut Frontend = &raw mut *self.frontend;
        // SAFETY: As in C++, the functions take the frontend and a part of it. Both are alive, and there are no other
        // references.
        let (frontend, globals) = unsafe {
            match purpose {
                Purpose::Errors => (&mut *frontend, &mut (*frontend).globals),
                Purpose::Hover => (&mut *frontend, &mut (*frontend).globals_for_autocomplete),
            }
        };
        unfreeze(globals.global_types_mut());
        let result = change(frontend, globals);
        freeze(globals.global_types_mut());
        result
    }
}

/// Parses a file and the files that it requires, if that has not been done yet.
fn parse(frontend: &mut Frontend, name: &String) {
    frontend.parse_module_name(name);
    for module in frontend.source_modules.values() {
        // SAFETY: Nothing is being checked, so there are no other references.
        unsafe { throws::mark_blocks(module) };
    }
}

/// Returns true if the error is a known false positive of the analysis.
fn is_false_positive(error: &TypeError, lines: &Lines) -> bool {
    if !matches!(error.data, TypeErrorData::TypeMismatch(_) | TypeErrorData::CountMismatch(_)) {
        return false;
    }
    // The location is the whole `local ok, problem = pcall(f)`. The type of `pcall` lacks the error value, so there is
    // one value too few if `f` returns none. If `f` returns more values than are assigned, they are matched with an
    // offset of one.
    let text = lines.between(error.location.begin, error.location.end);
    let value = text.strip_prefix("local").and_then(|local| local.split_once('=')).map(|(_, value)| value.trim_start());
    value.is_some_and(|value| ["pcall", "xpcall", "coroutine.resume"].iter().any(|call| value.starts_with(call)))
}

fn diagnostic(lines: &Lines, at: Location, message: String, severity: Severity) -> Diagnostic {
    Diagnostic { start: lines.place(at.begin), end: lines.place(at.end), message, severity }
}
