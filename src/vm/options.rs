//! The options of a VM.

use js_sys::{Array, Function, JsString, Map, Object};
use luau_runtime::globals::GlobalScope;
use luau_runtime::modules::ScriptTree;
use luau_runtime::{scheduler, websocket};
use wasm_bindgen::prelude::*;

use crate::js::hooks::Hooks;
use crate::js::modules::ModuleSource;
use crate::js::sink::{Console, Sink};
use crate::js::turns::SharedTurns;

#[wasm_bindgen]
extern "C" {
    /// An object with the options of a VM. `js/glue.d.ts` declares them, and `js/vm/check.ts` has checked them.
    pub type VmOptions;

    #[wasm_bindgen(method, getter)]
    fn print(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter)]
    fn warn(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = onError)]
    fn on_error(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter)]
    fn globals(this: &VmOptions) -> Option<Object>;
    #[wasm_bindgen(method, getter)]
    fn modules(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter)]
    fn script(this: &VmOptions) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = modulePaths)]
    fn module_paths(this: &VmOptions) -> Option<Array<JsString>>;
    #[wasm_bindgen(method, getter, js_name = memoryLimit)]
    fn memory_limit(this: &VmOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = timeSlice)]
    fn time_slice(this: &VmOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = timeLimit)]
    fn time_limit(this: &VmOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn sandbox(this: &VmOptions) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = globalScope)]
    fn global_scope(this: &VmOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn optimize(this: &VmOptions) -> Option<u8>;
    #[wasm_bindgen(method, getter)]
    fn websocket(this: &VmOptions) -> Option<WebSocketOptions>;
    #[wasm_bindgen(method, getter, js_name = makeError)]
    fn make_error(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = readError)]
    fn read_error(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = makeFunction)]
    fn make_function(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = makeValue)]
    fn make_value(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter)]
    fn pending(this: &VmOptions) -> Option<Map>;
    #[wasm_bindgen(method, getter, js_name = onCallRejected)]
    fn on_call_rejected(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = onEnd)]
    fn on_end(this: &VmOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter)]
    fn turns(this: &VmOptions) -> Option<Object>;

    /// The member `websocket`.
    #[derive(Default)]
    type WebSocketOptions;

    #[wasm_bindgen(method, getter, js_name = WebSocket)]
    fn constructor_of(this: &WebSocketOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter, js_name = maxConnections)]
    fn max_connections(this: &WebSocketOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = maxQueueMessages)]
    fn max_queue_messages(this: &WebSocketOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = maxQueueBytes)]
    fn max_queue_bytes(this: &WebSocketOptions) -> Option<f64>;
}

/// The default memory limit, in bytes. It is far below an instance's maximum of 4 GiB, and low enough for a page on a phone.
const DEFAULT_MEMORY_LIMIT_BYTES: f64 = (512_u32 << 20) as f64;

/// The default optimization level, which is that of Luau's own tools.
const DEFAULT_OPTIMIZE: u8 = 1;

/// The options of a VM, with their defaults.
pub(super) struct Options {
    pub(super) print: Sink,
    pub(super) warn: Sink,
    pub(super) on_error: Sink,
    pub(super) globals: Option<Object>,
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
    pub(super) turns: Option<SharedTurns>,
}

impl Options {
    pub(super) fn read(options: Option<VmOptions>) -> Self {
        let options = options.unwrap_or_else(|| Object::new().unchecked_into());
        let websocket = options.websocket().unwrap_or_else(|| Object::new().unchecked_into());
        let default = websocket::Limits::default();
        let memory_limit = Some(options.memory_limit().unwrap_or(DEFAULT_MEMORY_LIMIT_BYTES))
            .filter(|limit| limit.is_finite())
            .map(whole);
        Self {
            print: Sink::new(options.print(), Console::Log),
            warn: Sink::new(options.warn(), Console::Warn),
            on_error: Sink::new(options.on_error(), Console::Error),
            globals: options.globals(),
            modules: options.modules().map(ModuleSource::new),
            script: options.script().unwrap_or(false).then(|| ScriptTree {
                paths: options.module_paths().map(|paths| paths.iter().map(String::from).collect()),
            }),
            memory_limit,
            time: scheduler::Limits {
                slice: options.time_slice().unwrap_or(f64::INFINITY),
                limit: options.time_limit().unwrap_or(f64::INFINITY),
            },
            scope: options.sandbox().unwrap_or(true).then(|| match options.global_scope().as_deref() {
                Some("vm") => GlobalScope::Vm,
                _ => GlobalScope::Run,
            }),
            optimize: options.optimize().unwrap_or(DEFAULT_OPTIMIZE),
            constructor: websocket.constructor_of(),
            sockets: websocket::Limits {
                connections: websocket.max_connections().map_or(default.connections, whole),
                messages: websocket.max_queue_messages().map_or(default.messages, whole),
                bytes: websocket.max_queue_bytes().map_or(default.bytes, whole),
                // They are outside of Luau's memory, but in the same memory as everything else.
                total_bytes: memory_limit.map_or(default.total_bytes, |limit| limit / 2),
            },
            turns: options.turns().as_deref().and_then(SharedTurns::new),
            hooks: Hooks::new(crate::js::hooks::Functions {
                make_error: options.make_error(),
                read_error: options.read_error(),
                make_function: options.make_function(),
                make_value: options.make_value(),
                pending: options.pending(),
                on_call_rejected: options.on_call_rejected(),
                on_end: options.on_end(),
            }),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above zero; a number that is too large means no limit"
)]
fn whole(number: f64) -> usize {
    number as usize
}
