//! The files, as the analysis asks for them: through structs with a table of functions, its stand-in for C++'s virtual ones.

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

/// The sources, by their paths from the root, without an extension.
#[repr(C)]
pub(crate) struct Files {
    /// First, so that a pointer to it is one to the whole.
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

    /// The name of the module that `asking` means by `wanted`. It is one that no file has, and says why, where there is none.
    fn find(&self, asking: &str, wanted: &str) -> String {
        let path = match resolve(asking, wanted) {
            Ok(path) => path,
            Err(reason) => return format!("{wanted} ({reason})"),
        };
        let init = format!("{path}/init");
        if !self.sources.contains_key(&path) && self.sources.contains_key(&init) { init } else { path }
    }
}

unsafe fn read_source(this: *mut FileResolver, name: &String) -> Option<SourceCode> {
    // SAFETY: the analysis passes the pointer that it was given, which is to the first field of a `Files` that is alive.
    let files = unsafe { &*this.cast::<Files>() };
    files.sources.get(name).map(|source| SourceCode { source: without_preamble(source), r#type: SourceCode::Module })
}

/// Returns the source with spaces for a byte order mark, and with a comment for a line that begins with `#!`: as the package runs it, with
/// all places as they were.
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
    // SAFETY: as in `read_source`; the others are alive during the call.
    let (files, asking) = unsafe { (&*this.cast::<Files>(), &(*context).name) };
    // SAFETY: the node is alive, and its class is what it says: the parser made it.
    let literal = unsafe { ast_node_as::<AstExprConstantString>(path.cast::<AstNode>()).as_ref() }?;
    let bytes: Vec<u8> = literal.value.iter().map(|&char: &c_char| char.cast_unsigned()).collect();
    let name = files.find(asking, &String::from_utf8_lossy(&bytes));
    Some(ModuleInfo { name, optional: false })
}

/// The same settings for all files: nonstrict where a file does not say otherwise, and most lints.
#[repr(C)]
pub(crate) struct Settings {
    /// First, so that a pointer to it is one to the whole.
    pub(crate) base: ConfigResolver,
    config: Config,
}

impl Settings {
    pub(crate) fn new() -> Self {
        let mut config = Config::default();
        // While somebody types, much is not used yet; what a script gives its page is not used by the script; and to reuse a
        // name is how Luau is written.
        for code in [Code::Code_LocalUnused, Code::Code_FunctionUnused, Code::Code_ImportUnused, Code::Code_LocalShadow]
        {
            config.enabled_lint.disable_warning(code);
        }
        // The parser would unwind when it has found a hundred, which ends the instance here.
        config.parse_options.no_error_limit = true;
        Self { base: ConfigResolver { get_config: Some(get_config) }, config }
    }
}

unsafe fn get_config(this: *const ConfigResolver, _: *const String, _: *const TypeCheckLimits) -> *const Config {
    // SAFETY: the analysis passes the pointer that it was given, which is to the first field of `Settings` that are alive.
    unsafe { &raw const (*this.cast::<Settings>()).config }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_the_program_keeps_its_length() {
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
    fn a_folder_with_an_init_is_a_module() {
        let mut files = Files::new();
        for name in ["lib/init", "lib/list", "list", "list/init"] {
            files.sources.insert(name.into(), String::new());
        }
        assert_eq!(files.find("main", "./lib"), "lib/init");
        assert_eq!(files.find("main", "./list"), "list");
        assert_eq!(files.find("main", "./other"), "other");
    }
}
