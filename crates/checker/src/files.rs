//! Provides files to the analysis. The port replaces C++'s virtual functions with function tables, which the structs
//! here fill in.

use std::collections::BTreeMap;
use std::ffi::c_char;

use luaur::analysis::records::config_resolver::ConfigResolver;
use luaur::analysis::records::file_resolver::{FileResolver, FileResolverVtable};
use luaur::analysis::records::module_info::ModuleInfo;
use luaur::analysis::records::source_code::SourceCode;
use luaur::analysis::records::type_check_limits::TypeCheckLimits;
use luaur::ast::records::ast_expr::AstExpr;
use luaur::ast::records::ast_expr_constant_string::AstExprConstantString;
use luaur::ast::records::ast_node::AstNode;
use luaur::ast::rtti::ast_node_as;
use luaur::config::enums::code::Code;
use luaur::config::records::config::Config;

use crate::path::resolve;

/// The sources by their paths, relative to the root and without an extension.
#[repr(C)]
pub(crate) struct Files {
    /// The first field, so that a pointer to it is also a pointer to the whole.
    pub(crate) base: FileResolver,
    pub(crate) sources: BTreeMap<String, String>,
}

impl Files {
    pub(crate) fn new() -> Self {
        let vtable = FileResolverVtable {
            read_source,
            resolve_module,
            get_human_readable_module_name: |_, name| name.clone(),
            get_environment_for_module: |_, _| None,
        };
        Self { base: FileResolver { vtable, require_suggester: None }, sources: BTreeMap::new() }
    }

    /// Returns the name of the module that `requirer` gets for the path `wanted`. If the path is invalid, the name
    /// contains the reason and matches no file.
    fn find(&self, requirer: &str, wanted: &str) -> String {
        let path = match resolve(requirer, wanted) {
            Ok(path) => path,
            Err(reason) => return format!("{wanted} ({reason})"),
        };
        let init = format!("{path}/init");
        if !self.sources.contains_key(&path) && self.sources.contains_key(&init) { init } else { path }
    }
}

unsafe fn read_source(this: *mut FileResolver, name: &String) -> Option<SourceCode> {
    // SAFETY: The analysis passes the pointer that it was given, which points to the first field of a live `Files`.
    let files = unsafe { &*this.cast::<Files>() };
    files.sources.get(name).map(|source| SourceCode { source: without_preamble(source), r#type: SourceCode::Module })
}

/// Replaces a byte order mark with spaces, and turns a first line with `#!` into a comment: the package accepts both.
/// All positions in the source stay the same.
fn without_preamble(source: &str) -> String {
    const MARK: &str = "\u{feff}";
    let (before, rest) = match source.strip_prefix(MARK) {
        Some(rest) => (" ".repeat(MARK.len()), rest),
        None => (String::new(), source),
    };
    match rest.strip_prefix("#!") {
        Some(rest) => before + "--" + rest,
        None => before + rest,
    }
}

unsafe fn resolve_module(
    this: *mut FileResolver,
    context: *const ModuleInfo,
    path: *mut AstExpr,
    _: &TypeCheckLimits,
) -> Option<ModuleInfo> {
    // SAFETY: As in `read_source`. The other pointers are valid during the call.
    let (files, requirer) = unsafe { (&*this.cast::<Files>(), &(*context).name) };
    // SAFETY: The node is alive, and the parser set its class.
    let literal = unsafe { ast_node_as::<AstExprConstantString>(path.cast::<AstNode>()).as_ref() }?;
    let bytes: Vec<u8> = literal.value.iter().map(|&char: &c_char| char.cast_unsigned()).collect();
    let name = files.find(requirer, &String::from_utf8_lossy(&bytes));
    Some(ModuleInfo { name, optional: false })
}

/// The settings for all files: nonstrict mode unless a file selects another, and most lints.
#[repr(C)]
pub(crate) struct Settings {
    /// The first field, so that a pointer to it is also a pointer to the whole.
    pub(crate) base: ConfigResolver,
    config: Config,
}

impl Settings {
    pub(crate) fn new() -> Self {
        let mut config = Config::default();
        // While the user types, many names are not used yet. A script does not call the functions that it defines for
        // the host. Shadowing is common in Luau.
        for code in [Code::Code_LocalUnused, Code::Code_FunctionUnused, Code::Code_ImportUnused, Code::Code_LocalShadow]
        {
            config.enabled_lint.disable_warning(code);
        }
        // Otherwise the parser would unwind after a hundred errors, which ends the WebAssembly instance.
        config.parse_options.no_error_limit = true;
        Self { base: ConfigResolver { get_config: Some(get_config) }, config }
    }
}

unsafe fn get_config(this: *const ConfigResolver, _: *const String, _: *const TypeCheckLimits) -> *const Config {
    // SAFETY: The analysis passes the pointer that it was given, which points to the first field of live `Settings`.
    unsafe { &raw const (*this.cast::<Settings>()).config }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_and_a_first_line_with_a_shebang_keep_their_length() {
        for (source, read) in [
            ("\u{feff}return 1", "   return 1"),
            ("#!/usr/bin/env luau\nreturn 1", "--/usr/bin/env luau\nreturn 1"),
            ("\u{feff}#!luau", "   --luau"),
            ("return '#!'", "return '#!'"),
        ] {
            assert_eq!(without_preamble(source), read);
        }
    }

    #[test]
    fn a_folder_with_an_init_file_is_a_module() {
        let mut files = Files::new();
        for name in ["lib/init", "lib/list", "list", "list/init"] {
            files.sources.insert(name.into(), String::new());
        }
        assert_eq!(files.find("main", "./lib"), "lib/init");
        assert_eq!(files.find("main", "./list"), "list");
        assert_eq!(files.find("main", "./other"), "other");
    }
}
