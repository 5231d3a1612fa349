//! What a VM is made with.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

use crate::globals::GlobalScope;
use crate::host::hooks::Hooks;
use crate::host::modules::ModuleSource;
use crate::host::options::{boolean_option, function_option, number_option, option};
use crate::host::sink::{Console, Sink};
use crate::host::turns::Shared;
use crate::modules::ScriptTree;
use crate::scheduler;
use crate::websocket;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a VM is made with. */
export interface VmOptions {
    /** Takes what `print` writes; `console.log` by default. `values()` converts the arguments, during the call only. */
    print?: (text: string, values: () => unknown[]) => void;
    /** Takes what `warn` writes; `console.warn` by default. */
    warn?: (text: string, values: () => unknown[]) => void;
    /** Takes the errors of threads that nobody waits for; `console.error` by default. */
    onError?: (error: Error) => void;
    /** Globals of the scripts. */
    globals?: Record<string, unknown>;
    /** The source of the module at a path. */
    modules?: (path: string) => string | Uint8Array | null | undefined | Promise<string | Uint8Array | null | undefined>;
    /** Gives each script the value `script`; only with globals of its own. */
    script?: boolean;
    /** The paths of all modules, for `script`. */
    modulePaths?: string[];
    /** How much memory scripts may have, in bytes; 512 MiB by default. */
    memoryLimit?: number;
    /** How long a thread runs until the page gets its turn, in milliseconds. */
    timeSlice?: number;
    /** How long a thread may run without waiting, in milliseconds. */
    timeLimit?: number;
    /** Whether the libraries are read-only; true by default. */
    sandbox?: boolean;
    /** Which scripts share globals; those of a run by default, and all without the sandbox. */
    globalScope?: "run" | "vm";
    /** How far the compiler optimizes: 0, 1 or 2; 1 by default. */
    optimize?: number;
    websocket?: {
        /** The constructor of sockets; the global `WebSocket` by default. */
        WebSocket?: new (url: string, protocols?: string[]) => WebSocket;
        /** How many connections may be open at a time; 255 by default. */
        maxConnections?: number;
        /** How many messages a connection keeps for a script that does not take them; 65,536 by default. */
        maxQueueMessages?: number;
        /** How many bytes they may have together; 16 MiB by default. */
        maxQueueBytes?: number;
    };
    /** Makes the errors that the page gets, from the message and the members; plain `Error`s by default. */
    makeError?: (message: string, members: Record<string, unknown>) => Error;
    /** Makes the function that the page gets for one that calls a function of a script. */
    makeFunction?: (call: (...args: unknown[]) => Promise<unknown[]>) => (...args: unknown[]) => Promise<unknown[]>;
    /** Makes the object that the page gets for a value that it cannot look into, and that keeps `handle` as long as it is there. */
    makeValue?: (handle: object, text: string) => object;
    /** Gets the promises that are not settled, by the functions that reject them. */
    pending?: Map<(error: unknown) => void, Promise<unknown>>;
    /** Called before the promise of a call of a script's function is rejected. */
    onCallRejected?: (promise: Promise<unknown[]>, error: Error) => void;
    /** Knows since when the event loop waits for VMs; shared by those that must not keep it one after the other. */
    turns?: {
        begin: (now: number, onControl: () => void) => number;
        beginTask: (now: number, onControl: () => void) => boolean;
    };
    /** Called once, when the VM has ended, with the error that calls get from then on. */
    onEnd?: (reason: Error) => void;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The options, as TypeScript knows them.
    #[wasm_bindgen(typescript_type = "VmOptions | null")]
    pub type VmOptions;
}

/// The default memory limit, in bytes: far below the 4 GiB that an instance can have, and low enough for a page on a phone.
const DEFAULT_MEMORY_LIMIT: f64 = (512_u32 << 20) as f64;

/// The default of Luau's own tools.
const DEFAULT_OPTIMIZE: u8 = 1;

/// The options of a VM, read and checked.
pub(super) struct Options {
    pub(super) print: Sink,
    pub(super) warn: Sink,
    pub(super) on_error: Sink,
    pub(super) globals: Option<JsValue>,
    pub(super) modules: Option<ModuleSource>,
    pub(super) script: Option<ScriptTree>,
    pub(super) memory_limit: Option<usize>,
    pub(super) time: scheduler::Limits,
    /// None without the sandbox.
    pub(super) scope: Option<GlobalScope>,
    pub(super) optimize: u8,
    pub(super) constructor: Option<Function>,
    pub(super) sockets: websocket::Limits,
    pub(super) hooks: Hooks,
    pub(super) turns: Option<Shared>,
}

impl Options {
    /// Reads the options.
    ///
    /// # Errors
    /// A `TypeError` for one that is not what it should be.
    pub(super) fn read(options: Option<VmOptions>) -> Result<Self, JsValue> {
        let options = &options.map_or(JsValue::UNDEFINED, JsValue::from);
        let websocket = option(options, "websocket")?.unwrap_or_default();
        let default = websocket::Limits::default();
        let count = |name: &str, default: usize| match number_option(&websocket, name)?.map_or(default, whole) {
            0 => Err(JsValue::from(js_sys::TypeError::new(&format!("option {name}: less than one")))),
            count => Ok(count),
        };
        let milliseconds = |name: &str| number_option(options, name).map(|time| time.unwrap_or(f64::INFINITY));
        let memory_limit = Some(number_option(options, "memoryLimit")?.unwrap_or(DEFAULT_MEMORY_LIMIT))
            .filter(|limit| limit.is_finite())
            .map(whole);
        let scope = global_scope(options)?;
        Ok(Self {
            print: Sink::from_options(options, "print", Console::Log)?,
            warn: Sink::from_options(options, "warn", Console::Warn)?,
            on_error: Sink::from_options(options, "onError", Console::Error)?,
            globals: option(options, "globals")?,
            modules: function_option(options, "modules")?.map(ModuleSource::new),
            script: script_tree(options, scope)?,
            memory_limit,
            time: scheduler::Limits { slice: milliseconds("timeSlice")?, limit: milliseconds("timeLimit")? },
            scope,
            optimize: optimization_level(options)?,
            constructor: function_option(&websocket, "WebSocket")?,
            sockets: websocket::Limits {
                connections: count("maxConnections", default.connections)?,
                messages: count("maxQueueMessages", default.messages)?,
                bytes: count("maxQueueBytes", default.bytes)?,
                // They are outside of Luau's memory, but in the same as all of it.
                total_bytes: memory_limit.map_or(default.total_bytes, |limit| limit / 2),
            },
            hooks: Hooks::from_options(options)?,
            turns: option(options, "turns")?.as_ref().and_then(Shared::new),
        })
    }
}

fn global_scope(options: &JsValue) -> Result<Option<GlobalScope>, JsValue> {
    let is_sandboxed = boolean_option(options, "sandbox")?.unwrap_or(true);
    let scope = option(options, "globalScope")?;
    match scope.as_ref().map(JsValue::as_string) {
        None => Ok(is_sandboxed.then_some(GlobalScope::Run)),
        Some(Some(name)) if name == "vm" => Ok(is_sandboxed.then_some(GlobalScope::Vm)),
        Some(Some(name)) if name == "run" && is_sandboxed => Ok(Some(GlobalScope::Run)),
        Some(Some(name)) if name == "run" => {
            // Scripts could change the shared table, which they reach by the metatable of their own.
            Err(js_sys::TypeError::new("option globalScope: \"run\" needs the sandbox").into())
        }
        Some(_) => Err(js_sys::TypeError::new("option globalScope: neither \"run\" nor \"vm\"").into()),
    }
}

fn script_tree(options: &JsValue, scope: Option<GlobalScope>) -> Result<Option<ScriptTree>, JsValue> {
    if !boolean_option(options, "script")?.unwrap_or(false) {
        return Ok(None);
    }
    if scope != Some(GlobalScope::Run) {
        let message = "option script: each script has its own, so it needs the sandbox and globalScope: \"run\"";
        return Err(js_sys::TypeError::new(message).into());
    }
    let paths = option(options, "modulePaths")?
        .map(|paths| Array::from(&paths).iter().filter_map(|path| path.as_string()).collect());
    Ok(Some(ScriptTree { paths }))
}

fn optimization_level(options: &JsValue) -> Result<u8, JsValue> {
    let Some(level) = option(options, "optimize")? else { return Ok(DEFAULT_OPTIMIZE) };
    match level.as_f64() {
        Some(0.0) => Ok(0),
        Some(1.0) => Ok(1),
        Some(2.0) => Ok(2),
        _ => Err(js_sys::TypeError::new("option optimize: not 0, 1 or 2").into()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above zero; what is too large is no limit"
)]
fn whole(number: f64) -> usize {
    number as usize
}
