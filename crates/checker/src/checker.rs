//! The checker: Luau's analysis, with the globals of a script declared.

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

/// What the analysis is asked for. It keeps apart what it finds out for the one and the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Errors,
    /// As strict as can be: there are types where a script that is not strict has none.
    Hover,
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
        for use_ in [Use::Errors, Use::Hover] {
            checker.change_globals(use_, |frontend, globals| {
                register_builtin_globals(frontend, globals, use_ == Use::Hover);
            });
        }
        checker
    }

    /// Declares the globals and types of a definition file, for all files.
    ///
    /// # Errors
    ///
    /// What is wrong with the definitions; none of them is declared then.
    pub fn define(&mut self, name: &str, definitions: &str) -> Result<(), Vec<Diagnostic>> {
        let [result, _] = [Use::Errors, Use::Hover].map(|use_| {
            self.change_globals(use_, |frontend, globals| {
                let package = format!("@{name}");
                let scope = globals.global_scope();
                let result =
                    frontend.load_definition_file(globals, scope, definitions, package, false, use_ == Use::Hover);
                // Whoever declares it anew still means the function that the analysis knows by its tag.
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
        let lines = Lines::new(source);
        let name = name.to_owned();
        parse(&mut self.frontend, &name);
        let result = self.frontend.check_module_name_optional_frontend_options(&name, None);
        // Those of the modules that it requires are among them.
        let errors: Vec<_> = result.errors.iter().filter(|error| error.module_name == name).collect();
        if errors.iter().any(|error| matches!(error.data, TypeErrorData::SyntaxError(_))) {
            return Vec::new();
        }
        let errors = errors
            .into_iter()
            .filter(|error| !is_false(error, &lines))
            .map(|error| diagnostic(&lines, error.location, to_string_type_error(error), Severity::Error));
        let warnings = result.lint_result.errors.iter().chain(&result.lint_result.warnings);
        let warnings = warnings.filter(|lint| !throws::is_of_mark(lint.location));
        let warnings = warnings.map(|lint| diagnostic(&lines, lint.location, lint.text.clone(), Severity::Warning));
        let mut all: Vec<Diagnostic> = errors.chain(warnings).collect();
        all.sort_by_key(|diagnostic| (diagnostic.start, diagnostic.end));
        all.dedup();
        all
    }

    /// The type of what the name at a place stands for: a variable, a field or a method.
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
        // Otherwise it is a word in a comment, say, and what was found is around it.
        if found.get_location()?.end != word.end {
            return None;
        }
        let (local, expression) = (found.get_local(), found.get_expr());
        let of_local = || {
            let symbol = Symbol::from_local(local);
            module.scopes.iter().find_map(|(_, scope)| scope.bindings.get(&symbol)).map(|binding| binding.type_id)
        };
        // SAFETY: the tree lives as long as its module.
        let is_key = || !unsafe { ast_node_as::<AstExprConstantString>(expression.cast()) }.is_null();
        let found = match (local.is_null(), expression.is_null()) {
            (false, _) => of_local(),
            (true, false) if !is_key() => module.ast_types.find(&expression.cast_const()).copied(),
            _ => None,
        };
        let options = ToStringOptions { function_type_arguments: true, ..ToStringOptions::default() };
        Some(to_string_type_id_to_string_options_mut(found?, options))
    }

    /// Globals can be changed only while they are not frozen.
    fn change_globals<R>(&mut self, use_: Use, change: impl FnOnce(&mut Frontend, &mut GlobalTypes) -> R) -> R {
        let frontend: *mut Frontend = &raw mut *self.frontend;
        // SAFETY: the functions want the part beside the whole, as in C++; both are alive, and nobody else has them.
        let (frontend, globals) = unsafe {
            match use_ {
                Use::Errors => (&mut *frontend, &mut (*frontend).globals),
                Use::Hover => (&mut *frontend, &mut (*frontend).globals_for_autocomplete),
            }
        };
        unfreeze(globals.global_types_mut());
        let result = change(frontend, globals);
        freeze(globals.global_types_mut());
        result
    }
}

/// Parses a file and those that it requires, where that was not done yet.
fn parse(frontend: &mut Frontend, name: &String) {
    frontend.parse_module_name(name);
    for module in frontend.source_modules.values() {
        // SAFETY: nothing is being checked, so nobody else looks at it.
        unsafe { throws::mark(module) };
    }
}

/// Whether the analysis is known to be wrong about this.
fn is_false(error: &TypeError, lines: &Lines) -> bool {
    if !matches!(error.data, TypeErrorData::TypeMismatch(_) | TypeErrorData::CountMismatch(_)) {
        return false;
    }
    // Of `local ok, problem = pcall(f)`, as a whole. What is there when `f` fails is not in the type of `pcall`, so it is one
    // value too few where `f` returns none; and where `f` returns more than are taken, they are matched one off.
    let text = lines.between(error.location.begin, error.location.end);
    let value = text.strip_prefix("local").and_then(|local| local.split_once('=')).map(|(_, value)| value.trim_start());
    value.is_some_and(|value| ["pcall", "xpcall", "coroutine.resume"].iter().any(|call| value.starts_with(call)))
}

fn diagnostic(lines: &Lines, at: Location, message: String, severity: Severity) -> Diagnostic {
    Diagnostic { start: lines.place(at.begin), end: lines.place(at.end), message, severity }
}
