//! The class that JS sees: a VM with the libraries in it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Function, Promise};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use crate::bind::{self, Args, Binder, Callee};
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::host::{self, Console, Sink, Socket};
use crate::pump::Pump;
use crate::raw;
use crate::scheduler::{Scheduler, Timer};
use crate::websocket::{Limits, Sockets};
use crate::{console, convert, json, task, websocket};

/// How long after the last thread ran the collector is asked for connections that no script can reach, in milliseconds.
const SEARCH_AFTER: f64 = 1_000.0;

/// The name of a chunk that was given none.
const DEFAULT_CHUNK_NAME: &str = "script";

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a VM is made with. */
export interface VmOptions {
    /** Takes what `print` writes; `console.log` by default. */
    print?: (text: string) => void;
    /** Takes what `warn` writes; `console.warn` by default. */
    warn?: (text: string) => void;
    /** Takes the errors of threads that nobody waits for; `console.error` by default. */
    onError?: (error: LuauError) => void;
    websocket?: {
        /** The constructor of sockets; the global `WebSocket` by default. */
        WebSocket?: new (url: string, protocols?: string[]) => WebSocket;
        /** How many messages a connection keeps for a script that does not take them; 65,536 by default. */
        maxQueueMessages?: number;
        /** How many bytes they may have together; 16 MiB by default. */
        maxQueueBytes?: number;
    };
}

/** An error that ended a thread, or kept it from starting. */
export interface LuauError extends Error {
    readonly name: "LuauError";
    readonly kind: "syntax" | "runtime" | "memory" | "cancelled" | "disposed";
    /** Where it happened; undefined where no script was running. */
    readonly chunkName: string | undefined;
    readonly line: number | undefined;
    /** The call stack, innermost first. */
    readonly frames: readonly { chunkName: string; line: number; name: string | undefined }[];
    /** The call stack as text. */
    readonly traceback: string;
    /** What was thrown. */
    readonly value: unknown;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The options, as TypeScript knows them.
    #[wasm_bindgen(typescript_type = "VmOptions | null")]
    pub type VmOptions;

    /// The promise of a run, as TypeScript knows it.
    #[wasm_bindgen(typescript_type = "Promise<unknown[]>")]
    pub type Results;
}

/// A Luau VM with `task`, `websocket`, `print` and `warn`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Vm {
    /// None once it is disposed.
    inner: RefCell<Option<Rc<Inner>>>,
}

#[derive(Debug)]
struct Inner {
    lua: Lua,
    /// A Luau function; see `vm.luau`.
    run: LuaFunction,
    scheduler: Scheduler,
    sockets: Sockets,
    pump: Rc<Pump>,
    /// The runs whose promises are not settled.
    runs: RefCell<Vec<Rc<Run>>>,
    /// Itself, when the page has let go of the VM without disposing it and there is still something to do: as a timer
    /// of the page's own goes on without a reference to it.
    kept: RefCell<Option<Rc<Inner>>>,
    /// When the collector is asked next for connections that no script can reach.
    search: RefCell<Option<Timer>>,
    /// How often a thread had been resumed when it was asked last: without another one there is nothing new to find.
    searched_at: Cell<Option<u64>>,
}

/// A run whose promise is not settled, by the two functions that settle it.
#[derive(Debug)]
struct Run {
    resolve: Function,
    reject: Function,
    /// Where the error was thrown, noted while the stack still stood.
    frames: RefCell<Vec<crate::error::Frame>>,
}

#[wasm_bindgen]
impl Vm {
    /// Makes a VM.
    ///
    /// # Errors
    /// A `TypeError` for an option that is not what it should be, a `LuauError` when there is no memory.
    #[wasm_bindgen(constructor)]
    pub fn new(options: Option<VmOptions>) -> Result<Self, JsValue> {
        #[cfg(feature = "panic-hook")]
        console_error_panic_hook::set_once();
        cxx_runtime::init();

        let options = options.map_or(JsValue::UNDEFINED, JsValue::from);
        let print = Sink::from_options(&options, "print", Console::Log)?;
        let warn = Sink::from_options(&options, "warn", Console::Warn)?;
        let on_error = Sink::from_options(&options, "onError", Console::Error)?;
        let websocket = host::option(&options, "websocket")?.unwrap_or_default();
        let constructor = host::function_option(&websocket, "WebSocket")?;
        let limits = read_limits(&websocket)?;

        let inner = Inner::new(print, warn, on_error, constructor, limits)
            .map_err(|error| convert::error_to_js(&ScriptError::from_lua(&error, DEFAULT_CHUNK_NAME)))?;
        Ok(Self { inner: RefCell::new(Some(inner)) })
    }

    /// Runs a chunk as a thread: up to its first wait before this returns, or, when it is called by a function that a
    /// script has called, as soon as that script waits.
    ///
    /// The promise is resolved with what the chunk returns, and rejected with a `LuauError`: of kind `syntax` before
    /// anything ran, `cancelled` when a script cancelled the thread, `disposed` when the VM was disposed meanwhile.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen hands an optional string over as a whole")]
    pub fn run(&self, source: &str, chunk_name: Option<String>) -> Results {
        let inner = self.inner.borrow().clone();
        let promise = Promise::new(&mut |resolve, reject| {
            let started = match &inner {
                Some(inner) => inner.start(source, chunk_name.as_deref(), resolve, reject.clone()),
                None => Err(disposed()),
            };
            if let Err(error) = started {
                // Rejecting a promise cannot fail.
                let _ = reject.call1(&JsValue::UNDEFINED, &convert::error_to_js(&error));
            }
        });
        // Behind the constructor of the promise, where a panic would be lost.
        if let Some(inner) = inner {
            inner.scheduler.event(|| {});
        }
        promise.unchecked_into()
    }

    /// Ends the VM: closes its sockets, calls off its timers, and rejects what is still running.
    ///
    /// Disposing it again does nothing.
    pub fn dispose(&self) {
        let inner = self.inner.take();
        if let Some(inner) = inner {
            inner.dispose();
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above zero; what is too large is no limit"
)]
fn read_limits(options: &JsValue) -> Result<Limits, JsValue> {
    let default = Limits::default();
    let limit = |name: &str, default: usize| {
        host::number_option(options, name).map(|limit| limit.map_or(default, |limit| limit as usize))
    };
    Ok(Limits { messages: limit("maxQueueMessages", default.messages)?, bytes: limit("maxQueueBytes", default.bytes)? })
}

impl Drop for Vm {
    /// The page called `free`, or its collector found the object: not a reason to end what still runs.
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            inner.kept.replace(Some(inner.clone()));
            inner.end_if_idle();
        }
    }
}

fn disposed() -> ScriptError {
    ScriptError::plain(Kind::Disposed, "the VM is disposed: make a new one")
}

impl Inner {
    fn new(
        print: Sink,
        warn: Sink,
        on_error: Sink,
        constructor: Option<Function>,
        limits: Limits,
    ) -> LuaResult<Rc<Self>> {
        // The default options matter: without `catch_rust_panics` mlua puts a `pcall` of its own in the place of Luau's,
        // and no thread can yield through that one.
        let lua = Lua::new_with(LuaStdLib::ALL_SAFE, LuaOptions::default())?;
        let scheduler = Scheduler::new(host::now, move |error| {
            if let Err(message) = on_error.put(&convert::error_to_js(&error)) {
                // The page's own function failed; what it should have shown is not lost.
                host::complain(&convert::error_to_js(&error), &format!("(the page's 'onError' failed: {message})"));
            }
        });
        let binder = Binder::new(&lua, &scheduler)?;
        let of_sockets = warn.clone();
        let warn_of_sockets = move |text: &str| {
            if let Err(message) = of_sockets.put(&text.into()) {
                host::complain(&text.into(), &format!("(the page's 'warn' failed: {message})"));
            }
        };
        let sockets = Sockets::new(&scheduler, limits, warn_of_sockets, move |url, protocols, on_event| {
            Socket::connect(constructor.as_ref(), url, protocols, on_event)
        });
        console::install(&lua, print, warn)?;
        json::install(&lua, &binder)?;
        task::install(&lua, &binder, &scheduler)?;
        websocket::install(&lua, &binder, &sockets)?;
        // It would read files, and there are none.
        lua.globals().raw_set("require", LuaNil)?;
        // mlua's raises an error for what does not compile; Luau's returns nil and the message.
        let loadstring = binder.plain(&lua, Callee::Function("loadstring"), |lua, args| load_string(lua, &args))?;
        lua.globals().raw_set("loadstring", loadstring)?;
        let run = bind::load(&lua, include_str!("vm.luau"), ())?;
        // After the last change to the globals: from here on they are read-only for scripts, who get their own on top.
        lua.sandbox(true)?;
        Ok(Rc::new_cyclic(|inner: &Weak<Self>| {
            let inner = inner.clone();
            let pump = Pump::new(&lua, &scheduler, move || {
                if let Some(inner) = inner.upgrade() {
                    inner.rest();
                }
            });
            Self {
                lua,
                run,
                scheduler,
                sockets,
                pump,
                runs: RefCell::default(),
                kept: RefCell::default(),
                search: RefCell::default(),
                searched_at: Cell::new(None),
            }
        }))
    }

    /// Compiles a chunk and makes its thread ready.
    fn start(
        self: &Rc<Self>,
        source: &str,
        chunk_name: Option<&str>,
        resolve: Function,
        reject: Function,
    ) -> Result<(), ScriptError> {
        let chunk_name = chunk_name.unwrap_or(DEFAULT_CHUNK_NAME);
        let run = Rc::new(Run { resolve, reject, frames: RefCell::default() });
        let error = |error: LuaError| ScriptError::from_lua(&error, chunk_name);
        let chunk = self
            .lua
            .load(source)
            .set_name(format!("={chunk_name}"))
            .set_mode(mlua::chunk::ChunkMode::Text)
            .into_function()
            .map_err(error)?;
        let thread = self.thread_of(&run, chunk).map_err(error)?;

        let (inner, cancelled) = (Rc::downgrade(self), run.clone());
        self.scheduler.watch(&thread, move || {
            if let Some(inner) = inner.upgrade() {
                inner.settle(&cancelled, Err(ScriptError::plain(Kind::Cancelled, "the thread was cancelled")));
            }
        });
        self.runs.borrow_mut().push(run);
        self.scheduler.resume(thread, LuaMultiValue::new());
        Ok(())
    }

    /// The thread of a run. Whoever resumes it last, how it ends is told to the page.
    fn thread_of(self: &Rc<Self>, run: &Rc<Run>, chunk: LuaFunction) -> LuaResult<LuaThread> {
        let of_trace = run.clone();
        let trace = self.lua.create_function(move |lua, value: LuaValue| {
            of_trace.frames.replace(raw::frames(&lua.current_thread()));
            Ok(value)
        })?;
        let (inner, of_end) = (Rc::downgrade(self), run.clone());
        let end = self.lua.create_function(move |lua, (ok, results): (bool, LuaMultiValue)| {
            if let Some(inner) = inner.upgrade() {
                inner.scheduler.unwatch(&lua.current_thread());
                inner.settle(&of_end, if ok { Ok(results) } else { Err(of_end.error(results)) });
            }
            Ok(())
        })?;
        let main: LuaFunction = self.run.call((chunk, trace, end))?;
        self.lua.create_thread(main)
    }

    fn settle(&self, run: &Rc<Run>, outcome: Result<LuaMultiValue, ScriptError>) {
        let is_pending = {
            let mut runs = self.runs.borrow_mut();
            let before = runs.len();
            runs.retain(|other| !Rc::ptr_eq(other, run));
            runs.len() < before
        };
        if is_pending {
            run.settle(outcome);
        }
    }

    /// What is to be done when the scheduler has nothing to do for now.
    fn rest(self: &Rc<Self>) {
        self.end_if_idle();
        let has_searched = self.searched_at.get() == Some(self.scheduler.resumptions());
        if !has_searched && self.sockets.has_unheard() && self.search.borrow().is_none() {
            let inner = Rc::downgrade(self);
            let timer = self.scheduler.timer(SEARCH_AFTER, move || {
                if let Some(inner) = inner.upgrade() {
                    inner.search_unreachable();
                }
            });
            self.search.replace(Some(timer));
            self.pump.wake_for_timers();
        }
    }

    /// Has the collector find the connections that no script can reach: a script that waits makes no garbage, so it
    /// would not come round by itself.
    fn search_unreachable(&self) {
        let timer = self.search.take();
        drop(timer);
        self.searched_at.set(Some(self.scheduler.resumptions()));
        // Once to end the cycle that is under way, once for the connections, and once for their signals, which a weak
        // table holds as long as the connection. It fails when a finalizer does, and ours do not.
        for _ in 0..3 {
            let _ = self.lua.gc_collect();
        }
    }

    /// Ends a VM that the page has let go of, once nothing is left that could call into it.
    fn end_if_idle(&self) {
        let is_idle = self.scheduler.is_idle() && self.sockets.count() == 0;
        if is_idle && self.kept.borrow().is_some() {
            self.dispose();
        }
    }

    fn dispose(&self) {
        self.pump.stop();
        self.sockets.end();
        let runs = self.runs.take();
        self.scheduler.clear();
        for run in runs {
            run.settle(Err(disposed()));
        }
        let (kept, search) = (self.kept.take(), self.search.take());
        drop((kept, search));
    }
}

fn load_string(lua: &Lua, args: &Args) -> Result<LuaMultiValue, Failure> {
    let source = args.string(1)?;
    let chunk_name = match args.value(2) {
        LuaValue::Nil => "=(loadstring)".to_owned(),
        _ => args.string(2)?.to_string_lossy(),
    };
    let source = source.as_bytes().to_vec();
    let compiled = lua.load(source).set_name(chunk_name).set_mode(mlua::chunk::ChunkMode::Text).into_function();
    Ok(match compiled {
        Ok(function) => function.into_lua_multi(lua)?,
        Err(LuaError::SyntaxError { message, .. }) => (LuaNil, message).into_lua_multi(lua)?,
        Err(error) => return Err(error.into()),
    })
}

impl Run {
    fn error(&self, mut results: LuaMultiValue) -> ScriptError {
        ScriptError::thrown(results.pop_front().unwrap_or(LuaNil), self.frames.take())
    }

    fn settle(&self, outcome: Result<LuaMultiValue, ScriptError>) {
        // What a promise is settled with runs later, in a microtask; settling it cannot fail.
        let _ = match outcome {
            Ok(results) => self.resolve.call1(&JsValue::UNDEFINED, &convert::to_js_array(&results)),
            Err(error) => self.reject.call1(&JsValue::UNDEFINED, &convert::error_to_js(&error)),
        };
    }
}
