//! wasm-bindgen's glue, made over into a factory.
//!
//! The glue of `--target web` keeps one instance in the variables of its module. A Rust panic or a trap ends an instance
//! for good, and the page shall go on with a fresh one: so the whole of the glue becomes the body of a function, and
//! each call of it has an instance of its own.
//!
//! What happens at the end of an instance is ours too. The glue throws whatever ended it, and `Module terminated` ever
//! after, also to the event loop, where nobody catches it and Node ends the process. Ours tells `onFault` once; the
//! exported classes throw as before, and what the event loop calls does nothing any more.

use anyhow::{Result, bail, ensure};

/// The text that is replaced, exactly as wasm-bindgen writes it, and what takes its place.
const GUARD: (&str, &str) = (include_str!("glue/guard.theirs.js"), include_str!("glue/guard.ours.js"));
const IMPORTS: (&str, &str) = (include_str!("glue/imports.theirs.js"), include_str!("glue/imports.ours.js"));
const STRINGS: (&str, &str) = (include_str!("glue/strings.theirs.js"), include_str!("glue/strings.ours.js"));
const VIEWS: (&str, &str) = (include_str!("glue/views.theirs.js"), include_str!("glue/views.ours.js"));
const BYTES: (&str, &str) = (include_str!("glue/bytes.theirs.js"), include_str!("glue/bytes.ours.js"));

/// How an import begins, after its name, and how it ends.
const IMPORT: &str = ": function() { return wrapError(function (";
const IMPORT_END: &str = "}, arguments); },";

/// Where the code begins that finds and loads the module, to the end of the file. The entries of the package do that.
const LOADER: &str = "\nasync function __wbg_load(";
const LOADER_END: &str = "\nexport { initSync, __wbg_init as default };";

/// The instance, which `guard.ours.js` lets go of.
const VARIABLES: &str = "\nlet wasmModule, wasmInstance, wasm;\n";

/// Functions of Rust that JS calls by themselves: timers, events of sockets, the callbacks of promises.
const CLOSURE: &str = "\nfunction wasm_bindgen__convert__closures_____invoke__";

/// What a bundler would follow, or a content security policy forbid.
const FORBIDDEN: [&str; 5] = ["import.meta", "fetch(", "importScripts", "eval(", "new Function("];

/// Makes the module `glue.js` out of the glue.
pub(crate) fn factory(glue: &str) -> Result<String> {
    let body = without_loader(glue)?;
    let (body, exports) = without_exports(body)?;
    let mut body = replace(&body, 1, GUARD.0, &GUARD.1.replace("__CACHES__", &caches(&body)?))?;
    for (theirs, ours) in [IMPORTS, STRINGS, VIEWS, BYTES] {
        body = replace(&body, 1, theirs, ours)?;
    }
    let body = with_direct_imports(&body)?;
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
         return {{ instantiate, close, {exports} }};\n\
         }}\n"
    ))
}

fn without_loader(glue: &str) -> Result<&str> {
    let Some((body, loader)) = glue.split_once(LOADER) else {
        bail!(unexpected(&format!("`{}` is missing", LOADER.trim())));
    };
    ensure!(loader.trim_end().ends_with(LOADER_END), unexpected("it ends otherwise than it did"));
    ensure!(body.contains(VARIABLES), unexpected(&format!("`{}` is missing", VARIABLES.trim())));
    Ok(body)
}

/// The body with its exported classes as plain ones, and their names.
fn without_exports(body: &str) -> Result<(String, Vec<String>)> {
    let mut names = Vec::new();
    let mut lines = Vec::new();
    for line in body.lines() {
        let line = match line.strip_prefix("export ") {
            None => line,
            Some(declaration) => {
                let name = declaration.strip_prefix("class ").and_then(|rest| rest.strip_suffix(" {"));
                let Some(name) = name else { bail!(unexpected(&format!("it exports what is no class: `{line}`"))) };
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

/// The views of the memory that the glue keeps, as the targets of one assignment.
fn caches(body: &str) -> Result<String> {
    let names = body.lines().filter_map(|line| line.strip_prefix("let cached")?.strip_suffix("Memory0 = null;"));
    let names: Vec<String> = names.map(|name| format!("cached{name}Memory0")).collect();
    ensure!(!names.is_empty(), unexpected("it keeps no view of the memory"));
    Ok(names.join(" = "))
}

/// Each import as a function that does it all by itself. In theirs each call makes a function and a list of arguments for
/// `wrapError`: without, what crosses between Rust and JS takes a fifth to a quarter less time.
fn with_direct_imports(body: &str) -> Result<String> {
    let (mut begun, mut ended) = (0, 0);
    let lines = body.lines().map(|line| {
        if let Some((name, arguments)) = line.split_once(IMPORT)
            && let Some(arguments) = arguments.strip_suffix(") {")
        {
            begun += 1;
            return format!("{name}: function({arguments}) {{ if (__fault !== undefined) throw __wbg_gone(); try {{");
        }
        if line.trim_start() == IMPORT_END {
            ended += 1;
            return "        } catch (e) { __wbg_rethrow(e); } finally { if (__fault !== undefined) throw __wbg_gone(); } },"
                .to_owned();
        }
        line.to_owned()
    });
    let direct = lines.collect::<Vec<_>>().join("\n");
    let is_whole = begun == ended && begun > 0 && !direct.contains("wrapError");
    ensure!(is_whole, unexpected(&format!("{begun} imports begin and {ended} end as those that it wraps")));
    Ok(direct)
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
        let function = replace(&function, 1, "__wbg_handle_catch(e);", "return __wbg_swallow(e);")?;
        quiet.extend([CLOSURE, &function, "\n}\n", rest]);
        count += 1;
    }
    ensure!(count > 0, unexpected(&format!("`{}` is missing", CLOSURE.trim())));
    Ok(quiet)
}

/// What the garbage collector calls, and the end of a closure, which comes after each of its calls.
fn with_quiet_finalizers(body: &str) -> Result<String> {
    const DESTROY: &str = "wasm.__wbindgen_destroy_closure(state.a, state.b)";
    const REGISTRY: &str = "new FinalizationRegistry(";
    const OF_CLASS: &str = "new FinalizationRegistry(ptr => wasm.";
    // Once in the registry, and once for each of the ways in which closures are made: that of `Fn`, and that of `FnMut`.
    let ways = body.matches("function makeClosure(").count() + body.matches("function makeMutClosure(").count();
    let body = replace(body, 1 + ways, DESTROY, &format!("__wbg_quietly(() => {DESTROY})"))?;
    // One more is that of the closures, which the line above has dealt with.
    let classes = body.matches(REGISTRY).count().saturating_sub(1);
    let mut parts = body.split(OF_CLASS);
    let mut quiet = parts.next().unwrap_or_default().to_owned();
    let mut count = 0;
    for part in parts {
        let Some((call, rest)) = part.split_once("(ptr, 1));") else {
            bail!(unexpected(&format!("`{OF_CLASS}` goes on otherwise than it did")));
        };
        quiet.extend([REGISTRY, "ptr => __wbg_quietly(() => wasm.", call, "(ptr, 1)));", rest]);
        count += 1;
    }
    ensure!(count == classes, unexpected(&format!("{count} of {classes} finalizers of classes are `{OF_CLASS}…`")));
    Ok(quiet)
}

/// Replaces all of `times` occurrences.
fn replace(text: &str, times: usize, from: &str, to: &str) -> Result<String> {
    let count = text.matches(from).count();
    let first = from.trim_start().lines().next().unwrap_or_default();
    ensure!(count == times, unexpected(&format!("`{first}` and what follows it is there {count} times, not {times}")));
    Ok(text.replace(from, to))
}

fn unexpected(what: &str) -> String {
    format!(
        "the glue that wasm-bindgen wrote is not as expected: {what}. crates/xtask/src/glue.rs knows its text: see what \
         the release that wasm-pack.toml pins writes differently, and adapt it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Glue with one of each thing that is replaced.
    fn sample() -> String {
        let (guard, imports, strings, views, bytes) = (GUARD.0, IMPORTS.0, STRINGS.0, VIEWS.0, BYTES.0);
        format!(
            "export class Vm {{
    run() {{
        __wbg_call_guard();
    }}
}}
{guard}function wasm_bindgen__convert__closures_____invoke__h1(arg0, arg1) {{
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
function makeClosure(state) {{
    wasm.__wbindgen_destroy_closure(state.a, state.b);
}}
const imports = {{
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

    /// What is wrong with the sample, once `from` in it is `to`.
    fn fault(from: &str, to: &str) -> String {
        let sample = sample();
        assert!(sample.contains(from), "the sample has no {from}");
        factory(&sample.replace(from, to)).expect_err("the text is not as expected").to_string()
    }

    #[test]
    fn the_glue_becomes_the_body_of_a_function() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(made.contains("\nexport function createGlue(onFault) {\nclass Vm {\n"), "{made}");
        assert!(made.ends_with("\nreturn { instantiate, close, Vm };\n}\n"), "{made}");
        assert_eq!(made.matches("\nexport ").count(), 1);
        assert!(!made.contains("__wbg_load"));
    }

    #[test]
    fn a_dead_instance_is_let_go_of_with_all_views_of_its_memory() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(made.contains("cachedDataViewMemory0 = cachedUint8ArrayMemory0 = null;"), "{made}");
        assert!(!made.contains("Module terminated');\n    }\n}"));
    }

    #[test]
    fn only_what_the_event_loop_calls_is_quiet() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert_eq!(made.matches("        __wbg_call_guard();").count(), 1, "the method throws as before");
        assert_eq!(made.matches("if (__fault !== undefined) return;\n    try {\n        wasm.").count(), 1);
        assert_eq!(made.matches("return __wbg_swallow(e);").count(), 1);
        assert!(made.contains("(ptr => __wbg_quietly(() => wasm.__wbg_vm_free(ptr, 1)));"));
        assert_eq!(made.matches("__wbg_quietly(() => wasm.__wbindgen_destroy_closure(state.a, state.b))").count(), 2);
    }

    #[test]
    fn an_import_needs_no_other_function() {
        let made = factory(&sample()).expect("the sample is as expected");
        let import = "__wbg_now_1: function(arg0, arg1) { if (__fault !== undefined) throw __wbg_gone(); try {
            return arg0;
        } catch (e) { __wbg_rethrow(e); } finally { if (__fault !== undefined) throw __wbg_gone(); } },";
        assert!(made.contains(import), "{made}");
    }

    #[test]
    fn long_strings_are_left_to_the_encoder() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(made.contains("if (len > 128) {"), "{made}");
        assert!(fault("let offset = 0;", "let start = 0;").contains("`let offset = 0;` and what follows it"));
    }

    #[test]
    fn views_of_the_memory_are_made_anew_together() {
        let made = factory(&sample()).expect("the sample is as expected");
        assert!(!made.contains("detached"), "{made}");
        assert!(made.contains("new Uint8Array(wasm.memory.buffer);\n        cachedDataViewMemory0 = null;"), "{made}");
        assert!(fault("buffer.detached === undefined", "byteLength === 0").contains("`if (cachedDataViewMemory0"));
    }

    #[test]
    fn other_glue_than_expected_is_refused() {
        assert!(fault("e.is(__wbindgen_wrapped_jstag)", "true").contains("`let __wbg_terminated_addr;`"));
        assert!(fault("f.apply(this, args)", "f(...args)").contains("`function wrapError(f, args) {`"));
        assert!(fault("}, arguments); },", "}, arguments) },").contains("1 imports begin and 0 end"));
        assert!(fault("closures_____invoke", "closures_invoke").contains("is missing"));
        assert!(fault("async function __wbg_load", "function __wbg_load").contains("is missing"));
        assert!(fault("as default };", "as default };\nlet more;").contains("ends otherwise"));
        assert!(
            fault("makeClosure(state) {\n    wasm.", "makeClosure(state) {\n    exports.").contains("1 times, not 2")
        );
        assert!(fault("(ptr => wasm.", "(pointer => wasm.").contains("0 of 1 finalizers"));
        assert!(fault("let cached", "var cached").contains("no view of the memory"));
        assert!(fault("wasmModule, wasmInstance", "wasmInstance").contains("is missing"));
    }

    #[test]
    fn what_a_factory_cannot_have_is_refused() {
        assert!(fault("export class Vm", "export class Machine").contains("no class `Vm`"));
        assert!(fault("export class", "export const a = 1;\nexport class").contains("`export const a = 1;`"));
        assert!(fault("export class", "import { a } from 'a';\nexport class").contains("it imports"));
        assert!(fault("export class", "const a = import.meta.url;\nexport class").contains("`import.meta`"));
    }
}
