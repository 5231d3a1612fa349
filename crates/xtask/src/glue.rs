//! Turns wasm-bindgen's glue into a factory.
//!
//! The glue of `--target web` keeps its only instance in module variables. A Rust panic or a trap ends an instance for
//! good, and the page must be able to continue with a fresh one. So the whole glue becomes the body of a function, and
//! each call of it has an instance of its own.
//!
//! The end of an instance is handled differently as well. The original glue throws the cause once and `Module
//! terminated` from then on, even to the event loop, where nothing catches it and Node ends the process. Ours calls
//! `onFault` once; the exported classes throw as before, and calls from the event loop do nothing.

use anyhow::{Result, bail, ensure};

/// Each pair has the text to replace, exactly as wasm-bindgen writes it, and its replacement.
const IMPORTS: (&str, &str) = (include_str!("glue/imports.upstream.js"), include_str!("glue/imports.patched.js"));
const STRINGS: (&str, &str) = (include_str!("glue/strings.upstream.js"), include_str!("glue/strings.patched.js"));
const VIEWS: (&str, &str) = (include_str!("glue/views.upstream.js"), include_str!("glue/views.patched.js"));
const BYTES: (&str, &str) = (include_str!("glue/bytes.upstream.js"), include_str!("glue/bytes.patched.js"));

/// The replacement for everything that the glue does before and after calls of exports.
const GUARD: &str = include_str!("glue/guard.patched.js");
/// The beginning of the replaced text, and its functions. Only their names are known here, because the text names exports by numbers that
/// change with each export that is added.
const GUARD_START: &str = "\nlet __wbg_terminated_addr;\n";
const GUARD_FUNCTIONS: [&str; 3] = ["__wbg_call_abort_hook", "__wbg_handle_catch", "__wbg_call_guard"];

/// The three kinds of Rust closures that become JS functions: `Fn`, `FnMut`, and closures lent for a single call into
/// JS. Each entry has a text that counts the uses in the glue, and the replacements for each use.
const CLOSURES: [(&str, &[(&str, &str)]); 3] = [
    ("function makeClosure(", &[(include_str!("glue/closures.upstream.js"), include_str!("glue/closures.patched.js"))]),
    (
        "function makeMutClosure(",
        &[(include_str!("glue/mut-closures.upstream.js"), include_str!("glue/mut-closures.patched.js"))],
    ),
    (
        "var state0 = {",
        &[
            ("const a = state0.a;\n", "if (state0.isDropped) return;\n                    const a = state0.a;\n"),
            ("} finally {\n                state0.a = 0;\n", "} finally {\n                state0.isDropped = true;\n"),
        ],
    ),
];

/// A second closure lent to the same call. None of our imports takes two.
const SECOND_CLOSURE: &str = "var state1 = {";

/// The beginning of an import, after its name, and its end.
const IMPORT: &str = ": function() { return wrapError(function (";
const IMPORT_END: &str = "}, arguments); },";

/// The beginning and the end of the code that finds and loads the module. The entry points of the package do that
/// instead.
const LOADER: &str = "\nasync function __wbg_load(";
const LOADER_END: &str = "\nexport { initSync, __wbg_init as default };";

/// The instance, which `guard.patched.js` releases.
const VARIABLES: &str = "\nlet wasmModule, wasmInstance, wasm;\n";

/// Rust functions that JS calls on its own: timers, socket events, promise callbacks.
const CLOSURE: &str = "\nfunction wasm_bindgen__convert__closures_____invoke__";

/// Records a fault in the frame that catches it. After a stack overflow there may be room for only the last call, so
/// the rest must work without calls.
const RECORD_FAULT: &str = "if (__fault === undefined) { __end.thrown = e; __fault = __end; } \
                    if (!__is_finished) try { __finish_later(); } catch {}";

/// Functions that the glue calls for itself, and the wrappers in `guard.patched.js` that record when they fail.
const HELPERS: [(&str, &str); 4] = [
    ("wasm.__wbindgen_malloc", "__wbg_malloc"),
    ("wasm.__wbindgen_realloc", "__wbg_realloc"),
    ("wasm.__externref_table_alloc", "__wbg_alloc_slot"),
    ("wasm.__externref_table_dealloc", "__wbg_free_slot"),
];

/// The stack that a call needs, in frames of `probe_stack` in crates/luau-runtime/src/ffi/stack.rs: more than a script uses that recurses
/// as deep as Luau allows, or a source that nests as deep as the parser allows, and less than a third of V8's stack.
const STACK_LEVELS: u32 = 36;
/// The size of such a frame.
const KIB_PER_LEVEL: u32 = 8;

/// Code that a bundler would follow or a content security policy would forbid.
const FORBIDDEN: [&str; 5] = ["import.meta", "fetch(", "importScripts", "eval(", "new Function("];

/// Converts the glue into the module `glue.js`.
pub(crate) fn factory(glue: &str) -> Result<String> {
    let body = without_loader(glue)?;
    let (body, exports) = without_exports(body)?;
    let body = with_recorded_faults(&body)?;
    let guard = GUARD.replace("__CACHES__", &caches(&body)?).replace("__RECORD_FAULT__", RECORD_FAULT);
    let guard = guard.replace("__LEVELS__", &STACK_LEVELS.to_string());
    let guard = guard.replace("__KIB__", &(STACK_LEVELS * KIB_PER_LEVEL).to_string());
    let mut body = with_watched_helpers(&body)?;
    for (upstream, patched) in [IMPORTS, STRINGS, VIEWS, BYTES] {
        body = replace(&body, 1, upstream, patched)?;
    }
    let body = with_guard(&body, &guard)?;
    let body = with_direct_imports(&body)?;
    let body = with_droppable_closures(&body)?;
    let body = with_quiet_closures(&body)?;
    let body = with_quiet_finalizers(&body)?;
    for forbidden in FORBIDDEN {
        ensure!(!body.contains(forbidden), unexpected(&format!("it has `{forbidden}`")));
    }
    let exports = exports.join(", ");
    Ok(format!(
        "// wasm-bindgen's glue as a factory: each call is one instance. Made by `cargo xtask build`.\n\
         export function createGlue(onFault) {{\n\
         {body}\n\
         async function instantiate(module) {{\n    \
             const instance = await WebAssembly.instantiate(module, __wbg_get_imports());\n    \
             return __wbg_finalize_init(instance, module);\n\
         }}\n\n\
         return {{\n    \
             instantiate, close, requireStack, finish: __wbg_finish,\n    \
             get hasEnded() {{ return __fault !== undefined; }},\n    \
             {exports}\n\
         }};\n\
         }}\n"
    ))
}

fn without_loader(glue: &str) -> Result<&str> {
    let Some((body, loader)) = glue.split_once(LOADER) else {
        bail!(unexpected(&format!("`{}` is missing", LOADER.trim())));
    };
    ensure!(loader.trim_end().ends_with(LOADER_END), unexpected("it has a different end"));
    ensure!(body.contains(VARIABLES), unexpected(&format!("`{}` is missing", VARIABLES.trim())));
    Ok(body)
}

/// Turns exported classes into plain ones. Returns the body and the names of the classes.
fn without_exports(body: &str) -> Result<(String, Vec<String>)> {
    let mut names = Vec::new();
    let mut lines = Vec::new();
    for line in body.lines() {
        let line = match line.strip_prefix("export ") {
            None => line,
            Some(declaration) => {
                let name = declaration.strip_prefix("class ").and_then(|rest| rest.strip_suffix(" {"));
                let Some(name) = name else {
                    bail!(unexpected(&format!("it exports something other than a class: `{line}`")))
                };
                names.push(name.to_owned());
                declaration
            }
        };
        ensure!(!line.starts_with("import "), unexpected(&format!("it imports: `{line}`")));
        lines.push(line);
    }
    ensure!(names.iter().any(|name| name == "Vm"), unexpected("it exports no class `Vm`"));
    Ok((lines.join("\n"), names))
}

/// Returns the cached views of the memory, as targets of a single assignment.
fn caches(body: &str) -> Result<String> {
    let names = body.lines().filter_map(|line| line.strip_prefix("let cached")?.strip_suffix("Memory0 = null;"));
    let names: Vec<String> = names.map(|name| format!("cached{name}Memory0")).collect();
    ensure!(!names.is_empty(), unexpected("it keeps no view of the memory"));
    Ok(names.join(" = "))
}

fn with_guard(body: &str, guard: &str) -> Result<String> {
    let [.., last] = GUARD_FUNCTIONS;
    let parts = body.split_once(GUARD_START).and_then(|(before, rest)| {
        let (start, rest) = rest.split_once(&format!("\nfunction {last}("))?;
        let (end, after) = rest.split_once("\n}\n")?;
        Some((before, [start, end], after))
    });
    let Some((before, replaced, after)) = parts else {
        bail!(unexpected(&format!("`{}` and `function {last}` are missing", GUARD_START.trim())));
    };
    let functions: Vec<&str> = replaced[0].lines().filter_map(|line| line.strip_prefix("function ")).collect();
    let are_known = functions.iter().zip(GUARD_FUNCTIONS).all(|(line, name)| line.starts_with(&format!("{name}(")));
    ensure!(
        are_known && functions.len() + 1 == GUARD_FUNCTIONS.len(),
        unexpected(&format!("the functions before `{last}` are {functions:?}"))
    );
    Ok(format!("{before}\n{guard}{after}"))
}

/// Makes calls of exports record a fault before they handle it.
fn with_recorded_faults(body: &str) -> Result<String> {
    const CATCH: &str = "catch(e) {";
    const HANDLE: &str = "__wbg_handle_catch(e);";
    let mut count = 0;
    let mut is_catch = false;
    let lines = body.lines().map(|line| {
        let records = is_catch && line.trim_start() == HANDLE;
        is_catch = line.ends_with(CATCH);
        if !records {
            return line.to_owned();
        }
        count += 1;
        format!("{}{RECORD_FAULT} {HANDLE}", &line[..line.len() - HANDLE.len()])
    });
    let recorded = lines.collect::<Vec<_>>().join("\n");
    let all = recorded.matches(HANDLE).count();
    ensure!(count == all && count > 0, unexpected(&format!("{count} of {all} times `{HANDLE}` follows `{CATCH}`")));
    Ok(recorded)
}

fn with_watched_helpers(body: &str) -> Result<String> {
    let mut watched = body.to_owned();
    for (helper, wrapper) in HELPERS {
        ensure!(watched.contains(helper), unexpected(&format!("it has no `{helper}`")));
        // As arguments and in calls.
        for end in [",", ")", "("] {
            watched = watched.replace(&format!("{helper}{end}"), &format!("{wrapper}{end}"));
        }
        ensure!(!watched.contains(helper), unexpected(&format!("`{helper}` is neither called nor an argument")));
    }
    Ok(watched)
}

/// Makes each import a single function. In the original, each call creates a function and an arguments list for
/// `wrapError`; without them, calls between Rust and JS take a fifth to a quarter less time.
fn with_direct_imports(body: &str) -> Result<String> {
    let (mut begun, mut ended) = (0, 0);
    let lines = body.lines().map(|line| {
        if let Some((name, arguments)) = line.split_once(IMPORT)
            && let Some(arguments) = arguments.strip_suffix(") {")
        {
            begun += 1;
            return format!("{name}: function({arguments}) {{ if (__fault !== undefined) throw __gone; try {{");
        }
        if line.trim_start() == IMPORT_END {
            ended += 1;
            return "        } catch (e) { __wbg_rethrow(e); } finally { if (__fault !== undefined) throw __gone; } },"
                .to_owned();
        }
        line.to_owned()
    });
    let direct = lines.collect::<Vec<_>>().join("\n");
    let is_whole = begun == ended && begun > 0 && !direct.contains("wrapError");
    ensure!(is_whole, unexpected(&format!("{begun} imports begin and {ended} end like wrapped ones")));
    Ok(direct)
}

/// Makes closures do nothing when JS calls them after Rust has dropped them. In the original such a call throws inside
/// Rust and thereby ends the instance. A recursive call of a live `FnMut` still throws, because it is a bug and must
/// not go unnoticed.
fn with_droppable_closures(body: &str) -> Result<String> {
    ensure!(!body.contains(SECOND_CLOSURE), unexpected(&format!("it has `{SECOND_CLOSURE}`")));
    let mut droppable = body.to_owned();
    for (way, replacements) in CLOSURES {
        let count = body.matches(way).count();
        for (upstream, patched) in replacements {
            droppable = replace(&droppable, count, upstream, patched)?;
        }
    }
    Ok(droppable)
}

fn with_quiet_closures(body: &str) -> Result<String> {
    let mut parts = body.split(CLOSURE);
    let mut quiet = parts.next().unwrap_or_default().to_owned();
    let mut count = 0;
    for part in parts {
        let Some((function, rest)) = part.split_once("\n}\n") else {
            bail!(unexpected(&format!("a function has no end: `{}`", CLOSURE.trim())));
        };
        let function = replace(function, 1, "__wbg_call_guard();", "if (__fault !== undefined) return;")?;
        let function = replace(&function, 1, "__wbg_handle_catch(e);", "return __wbg_swallow_fault();")?;
        quiet.extend([CLOSURE, &function, "\n}\n", rest]);
        count += 1;
    }
    ensure!(count > 0, unexpected(&format!("`{}` is missing", CLOSURE.trim())));
    Ok(quiet)
}

/// Makes finalizers, which the garbage collector calls, throw nothing. `guard.patched.js` handles the end of closures.
fn with_quiet_finalizers(body: &str) -> Result<String> {
    const DESTROY: &str = "wasm.__wbindgen_destroy_closure(state.a, state.b)";
    const REGISTRY: &str = "new FinalizationRegistry(";
    const OF_CLASS: &str = "new FinalizationRegistry(ptr => wasm.";
    let from = format!("(state => {DESTROY})");
    let body = replace(body, 1, &from, &format!("(state => __wbg_call_quietly(() => {DESTROY}))"))?;
    // Subtracts the registry of closures, which the line above has handled.
    let classes = body.matches(REGISTRY).count().saturating_sub(1);
    let mut parts = body.split(OF_CLASS);
    let mut quiet = parts.next().unwrap_or_default().to_owned();
    let mut count = 0;
    for part in parts {
        let Some((call, rest)) = part.split_once("(ptr, 1));") else {
            bail!(unexpected(&format!("`{OF_CLASS}` continues differently")));
        };
        quiet.extend([REGISTRY, "ptr => __wbg_call_quietly(() => wasm.", call, "(ptr, 1)));", rest]);
        count += 1;
    }
    ensure!(count == classes, unexpected(&format!("{count} of {classes} finalizers of classes are `{OF_CLASS}…`")));
    Ok(quiet)
}

/// Replaces exactly `times` occurrences.
fn replace(text: &str, times: usize, from: &str, to: &str) -> Result<String> {
    let count = text.matches(from).count();
    let first = from.trim_start().lines().next().unwrap_or_default();
    ensure!(
        count == times,
        unexpected(&format!("the text that begins with `{first}` occurs {count} times, not {times}"))
    );
    Ok(text.replace(from, to))
}

fn unexpected(what: &str) -> String {
    format!(
        "the glue from wasm-bindgen is not as expected: {what}. crates/xtask/src/glue.rs depends on its text: see what \
         the pinned release in wasm-pack.toml writes differently, and adapt the code"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns glue with one of each replaced text.
    fn sample() -> String {
        let (imports, strings, views, bytes) = (IMPORTS.0, STRINGS.0, VIEWS.0, BYTES.0);
        let (closures, mut_closures) = (CLOSURES[0].1[0].0, CLOSURES[1].1[0].0);
        format!(
            "export class Vm {{
    run(name) {{
        passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
        __wbg_call_guard();
        try {{
            wasm.vm_run(wasm.__externref_table_alloc());
        }} catch(e) {{
            __wbg_handle_catch(e);
        }}
        wasm.__externref_table_dealloc(0);
    }}
}}

let __wbg_terminated_addr;
function __wbg_call_abort_hook() {{
    wasm.__wbindgen_export7.get(0)();
}}

function __wbg_handle_catch(e) {{
    throw e;
}}

function __wbg_call_guard() {{
    throw new Error('Module terminated');
}}
function wasm_bindgen__convert__closures_____invoke__h1(arg0, arg1) {{
    __wbg_call_guard();
    try {{
        wasm.wasm_bindgen__convert__closures_____invoke__h1(arg0, arg1);
    }} catch(e) {{
        __wbg_handle_catch(e);
    }}
}}

const VmFinalization = new FinalizationRegistry(ptr => wasm.__wbg_vm_free(ptr, 1));
const CLOSURE_DTORS = new FinalizationRegistry(state => wasm.__wbindgen_destroy_closure(state.a, state.b));
function passStringToWasm0(arg) {{
{strings}    }}
}}
let cachedDataViewMemory0 = null;
function getDataViewMemory0() {{
{views}    return cachedDataViewMemory0;
}}
let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {{
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {{
{bytes}    }}
    return cachedUint8ArrayMemory0;
}}
function makeClosure(arg0, arg1, f) {{
    const state = {{ a: arg0, b: arg1, cnt: 1 }};
    const real = (...args) => {{
{closures}    return real;
}}
function makeMutClosure(arg0, arg1, f) {{
    const state = {{ a: arg0, b: arg1, cnt: 1 }};
    const real = (...args) => {{
{mut_closures}    return real;
}}
const imports = {{
        __wbg_new_1: function() {{ return wrapError(function (arg0, arg1) {{
            try {{
                var state0 = {{a: arg0, b: arg1}};
                var cb0 = (arg0) => {{
                    const a = state0.a;
                    state0.a = 0;
                    try {{
                        return wasm_bindgen__convert__closures_____invoke__h1(a, state0.b, arg0);
                    }} finally {{
                        state0.a = a;
                    }}
                }};
                const ret = new Promise(cb0);
                return ret;
            }} finally {{
                state0.a = 0;
            }}
        }}, arguments); }},
        __wbg_now_1: function() {{ return wrapError(function (arg0, arg1) {{
            return arg0;
        }}, arguments); }},
}};
{imports}
let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {{}}

async function __wbg_load(module, imports) {{
    return fetch(module);
}}

export {{ initSync, __wbg_init as default }};
"
        )
    }

    /// Returns the error for the sample with `from` replaced by `to`.
    fn fault(from: &str, to: &str) -> String {
        let sample = sample();
        assert!(sample.contains(from), "the sample has no {from}");
        factory(&sample.replace(from, to)).expect_err("the text is not as expected").to_string()
    }

    #[test]
    fn the_glue_becomes_the_body_of_a_function() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(made.contains("\nexport function createGlue(onFault) {\nclass Vm {\n"), "{made}");
        assert!(made.ends_with("    Vm\n};\n}\n"), "{made}");
        assert_eq!(made.matches("\nexport ").count(), 1);
        assert!(!made.contains("__wbg_load"));
    }

    #[test]
    fn a_dead_instance_is_released_with_all_views_of_its_memory() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(made.contains("cachedDataViewMemory0 = cachedUint8ArrayMemory0 = null;"), "{made}");
        assert!(!made.contains("__wbindgen_export7"), "{made}");
    }

    #[test]
    fn a_caught_fault_is_recorded_before_it_is_handled() {
        let made = factory(&sample()).expect("the sample is as expected");
        let methods = "catch(e) {\n            if (__fault === undefined) { __end.thrown = e; __fault = __end; } if";
        assert_eq!(made.matches(methods).count(), 1, "{made}");
        assert!(!made.contains("__RECORD_FAULT__"), "{made}");
        assert!(made.contains("passStringToWasm0(name, __wbg_malloc, __wbg_realloc);"), "{made}");
        assert!(made.contains("wasm.vm_run(__wbg_alloc_slot());"), "{made}");
        assert!(
            fault("vm_run(wasm.__externref_table_alloc())", "vm_run()").contains("no `wasm.__externref_table_alloc`")
        );
        assert!(fault("(e) {\n            __wbg_handle", "(e) {\n            f(); __wbg_handle").contains("follows"));
    }

    #[test]
    fn only_functions_called_by_the_event_loop_are_quiet() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert_eq!(made.matches("        __wbg_call_guard();").count(), 1, "the method throws as before");
        assert_eq!(made.matches("if (__fault !== undefined) return;\n    try {\n        wasm.").count(), 1);
        assert_eq!(made.matches("return __wbg_swallow_fault();").count(), 1);
        assert!(made.contains("(ptr => __wbg_call_quietly(() => wasm.__wbg_vm_free(ptr, 1)));"));
        let destroy = "__wbg_call_quietly(() => wasm.__wbindgen_destroy_closure(state.a, state.b))";
        assert_eq!(made.matches(destroy).count(), 2);
        assert_eq!(made.matches("__wbindgen_destroy_closure").count(), 2);
    }

    #[test]
    fn closures_do_nothing_once_they_are_dropped() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert_eq!(made.matches("if (state.isDropped) return;\n        state.cnt++;").count(), 2, "{made}");
        assert_eq!(made.matches("real._wbg_cb_unref = () => __wbg_drop_closure(state);").count(), 2, "{made}");
        assert_eq!(made.matches("if (state0.isDropped) return;\n").count(), 1, "{made}");
        assert_eq!(made.matches("state0.isDropped = true;").count(), 1, "{made}");
        assert!(!made.contains("real._wbg_cb_unref();"), "a call that ends is not taken for the drop: {made}");
    }

    #[test]
    fn a_call_of_a_closure_from_inside_itself_still_reaches_rust() {
        let made = factory(&sample()).expect("the sample is as expected");
        let call =
            "const a = state.a;\n        state.a = 0;\n        try {\n            return f(a, state.b, ...args);";
        assert_eq!(made.matches(call).count(), 1, "{made}");
        assert!(made.contains("state0.a = 0;\n                    try {"), "{made}");
    }

    #[test]
    fn other_closures_than_expected_are_refused() {
        assert!(fault("state.cnt++;\n        try", "++state.cnt;\n        try").contains("0 times, not 1"));
        assert!(fault("return f(a, state.b", "return f(a, state.c").contains("0 times, not 1"));
        assert!(
            fault("{\n                state0.a = 0;", "{\n                state0.b = 0;").contains("0 times, not 1")
        );
        assert!(fault("var cb0", "var state1 = {a: 0, b: 0};\nvar cb0").contains("`var state1 = {`"));
    }

    #[test]
    fn an_import_needs_no_other_function() {
        let made = factory(&sample()).expect("the sample is as expected");
        let import = "__wbg_now_1: function(arg0, arg1) { if (__fault !== undefined) throw __gone; try {
            return arg0;
        } catch (e) { __wbg_rethrow(e); } finally { if (__fault !== undefined) throw __gone; } },";
        assert!(made.contains(import), "{made}");
    }

    #[test]
    fn the_encoder_writes_long_strings() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(made.contains("if (len > 128) {"), "{made}");
        assert!(fault("let offset = 0;", "let start = 0;").contains("begins with `let offset = 0;`"));
    }

    #[test]
    fn views_of_the_memory_are_renewed_together() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(!made.contains("detached"), "{made}");
        assert!(made.contains("new Uint8Array(wasm.memory.buffer);\n        cachedDataViewMemory0 = null;"), "{made}");
        assert!(fault("buffer.detached === undefined", "byteLength === 0").contains("`if (cachedDataViewMemory0"));
    }

    #[test]
    fn other_glue_than_expected_is_refused() {
        assert!(fault("let __wbg_terminated_addr", "let terminated").contains("`let __wbg_terminated_addr;`"));
        assert!(fault("function __wbg_handle_catch", "function handle").contains("handle(e)"));
        assert!(fault("f.apply(this, args)", "f(...args)").contains("`function wrapError(f, args) {`"));
        assert!(fault("}, arguments); },", "}, arguments) },").contains("2 imports begin and 0 end"));
        assert!(fault("closures_____invoke", "closures_invoke").contains("is missing"));
        assert!(fault("async function __wbg_load", "function __wbg_load").contains("is missing"));
        assert!(fault("as default };", "as default };\nlet more;").contains("different end"));
        assert!(fault("(state => wasm.", "(state => exports.").contains("0 times, not 1"));
        assert!(fault("(ptr => wasm.", "(pointer => wasm.").contains("0 of 1 finalizers"));
        assert!(fault("let cached", "var cached").contains("no view of the memory"));
        assert!(fault("wasmModule, wasmInstance", "wasmInstance").contains("is missing"));
    }

    #[test]
    fn code_that_a_factory_cannot_contain_is_refused() {
        assert!(fault("export class Vm", "export class Machine").contains("no class `Vm`"));
        assert!(fault("export class", "export const a = 1;\nexport class").contains("`export const a = 1;`"));
        assert!(fault("export class", "import { a } from 'a';\nexport class").contains("it imports"));
        assert!(fault("export class", "const a = import.meta.url;\nexport class").contains("`import.meta`"));
    }
}
