//! The state of a VM, with its libraries, its scheduler and its event loop.

mod life;
mod report;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Array, Object, Promise};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use self::report::{Reporter, outcome_to_js, warn};
use super::options::Options;
use crate::convert::{Converter, early_error_to_js};
use crate::event_loop::EventLoop;
use crate::js::hooks::{Deferred, Hooks};
use crate::js::socket::Socket;
use crate::js::values::{caused, define, descriptor, message_of, plain_keys, property};
use crate::{console, js};
use luau_runtime::call_error::CallError;
use luau_runtime::chunk::{ChunkName, Chunks};
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::function::{Args, FunctionBuilder};
use luau_runtime::globals::Globals;
use luau_runtime::modules::{self, ModuleSource, Modules};
use luau_runtime::scheduler::{Scheduler, Timer, Urgency};
use luau_runtime::threads::{OnEnd, Threads};
use luau_runtime::websocket::Sockets;
use luau_runtime::{json, limits, standard, task, text, websocket};

/// The default name of a chunk.
pub(super) const DEFAULT_CHUNK_NAME: &str = "script";

/// The memory of a new VM, in bytes. mlua panics if there is not enough.
const VM_BYTES: usize = 1 << 20;

/// The state of a VM. It lives while the host holds the VM, and after that until it is idle.
#[derive(Debug)]
pub(super) struct VmState {
    lua: Lua,
    chunks: Rc<Chunks>,
    globals: Rc<Globals>,
    scheduler: Scheduler,
    sockets: Sockets,
    threads: Threads,
    converter: Converter,
    hooks: Hooks,
    modules: Modules,
    event_loop: Rc<EventLoop>,
    /// The promises to settle when the VM is idle.
    idle_promises: RefCell<Vec<Deferred>>,
    /// A reference to itself if the host has dropped the VM without disposing it and there is still something to do. A host's own timer
    /// also continues without a reference to it.
    keep_alive: RefCell<Option<Rc<VmState>>>,
    /// The timer for the next search for connections that no script can reach.
    search: RefCell<Option<Timer>>,
    /// The number of resumptions at the last search. If it has not changed, there is nothing new to find.
    searched_at: Cell<Option<u64>>,
    is_disposed: Cell<bool>,
}

impl VmState {
    pub(super) fn new(options: Options) -> Result<Rc<Self>, JsValue> {
        let hooks = options.hooks.clone();
        let early = |error: LuaError| early_error_to_js(&hooks, &ScriptError::from_lua(&error, DEFAULT_CHUNK_NAME));
        if !limits::has_room(VM_BYTES) {
            return Err(early(limits::refusal()));
        }
        standard::set_flags().map_err(early)?;
        // The default options matter: without `catch_rust_panics` mlua replaces Luau's `pcall` with its own, through which no thread can
        // yield.
        let lua = Lua::new_with(LuaStdLib::ALL_SAFE, LuaOptions::default()).map_err(early)?;
        let reporter = Reporter::new(options.on_error.clone());
        let scheduler = {
            let reporter = reporter.clone();
            Scheduler::new(js::now, move |error| reporter.report(&error))
        };
        let builder = FunctionBuilder::new(&lua, &scheduler).map_err(early)?;
        let converter = Converter::new(&lua, &scheduler, &builder, hooks.clone()).map_err(early)?;
        reporter.set_converter(&converter);
        let (globals, memory_limit) = (options.globals.clone(), options.memory_limit);

        let state = Self::assemble(lua, scheduler, &builder, converter, options).map_err(early)?;
        if let Some(globals) = globals {
            state.set_globals(&globals)?;
        }
        state.seal(&builder).map_err(early)?;
        if let Some(limit) = memory_limit {
            state.limit_memory(limit)?;
        }
        Ok(state)
    }

    fn assemble(
        lua: Lua,
        scheduler: Scheduler,
        builder: &FunctionBuilder,
        converter: Converter,
        options: Options,
    ) -> LuaResult<Rc<Self>> {
        let (sink, constructor) = (options.warn.clone(), options.constructor);
        let sockets = Sockets::new(
            &scheduler,
            options.sockets,
            move |text| warn(&sink, text),
            move |url, protocols, max_length, on_event| {
                Ok(Rc::new(Socket::connect(constructor.as_ref(), url, protocols, max_length, on_event)?))
            },
        );
        standard::install_natives(&lua, js::date::TIME_ZONE)?;
        standard::install_collectgarbage(&lua, options.scope.is_none())?;
        // mlua adds the version of Luau. Scripts compare the value with the standard one.
        lua.globals().raw_set("_VERSION", "Luau")?;
        console::install(&lua, &converter, options.print, options.warn)?;
        json::install(&lua, builder)?;
        task::install(&lua, builder, &scheduler)?;
        websocket::install(&lua, builder, &sockets)?;
        let chunks = Rc::new(Chunks::new(&lua, options.optimize, js::now)?);
        let globals = Rc::new(Globals::new(&lua, options.scope, options.script.is_some())?);
        let threads = Threads::new(&lua, &scheduler)?;
        scheduler.set_limits(&lua, options.time)?;

        let state = Rc::new_cyclic(|state: &Weak<Self>| {
            let event_loop = {
                let state = state.clone();
                EventLoop::new(&lua, &scheduler, options.turns.clone(), move || {
                    if let Some(state) = state.upgrade() {
                        state.rest();
                    }
                })
            };
            let modules = options.modules.map(|source| Box::new(source) as Box<dyn ModuleSource>);
            let modules = {
                let state = state.clone();
                Modules::new(&scheduler, modules, move |source, name, requirer, on_end| {
                    let state = state.upgrade().ok_or_else(Threads::disposed)?;
                    let chunk = state.compile_for(source, name, requirer)?;
                    let thread = state.threads.prepare(&state.lua, None, on_end);
                    thread.map(|thread| (thread, chunk)).map_err(|error| ScriptError::from_lua(&error, name))
                })
            };
            {
                let (state, hooks) = (state.clone(), options.hooks.clone());
                converter.set_runner(move |function, args| match state.upgrade() {
                    Some(state) => state.call(function, args),
                    None => hooks.rejected_call(&early_error_to_js(&hooks, &Threads::disposed())),
                });
            }
            Self {
                chunks,
                globals,
                lua,
                scheduler,
                sockets,
                threads,
                converter,
                hooks: options.hooks,
                modules,
                event_loop,
                idle_promises: RefCell::default(),
                keep_alive: RefCell::default(),
                search: RefCell::default(),
                searched_at: Cell::new(None),
                is_disposed: Cell::new(false),
            }
        });
        modules::install(&state.lua, builder, &state.modules, options.script.as_ref())?;
        Ok(state)
    }

    /// Seals the globals. After that, scripts cannot change the shared ones.
    fn seal(&self, builder: &FunctionBuilder) -> LuaResult<()> {
        let (chunks, globals) = (Rc::downgrade(&self.chunks), Rc::downgrade(&self.globals));
        let make_loadstring =
            builder.bound(&self.lua, "loadstring", move |lua, args| match (chunks.upgrade(), globals.upgrade()) {
                (Some(chunks), Some(globals)) => load_string(lua, &chunks, &globals, &args),
                _ => Err(CallError::new("the VM is disposed")),
            })?;
        self.globals.seal(&self.lua, &make_loadstring)
    }

    /// Adds the host's globals to our own.
    fn set_globals(&self, globals: &JsValue) -> Result<(), JsValue> {
        let refused = |what: &str, thrown: JsValue| self.converter.conversion_error_to_js(what, &thrown.into());
        let names = plain_keys(globals).map_err(|thrown| refused("option globals", thrown))?;
        let Some(names) = names else {
            return Err(js_sys::TypeError::new("option globals: not a plain object").into());
        };
        for key in names.iter() {
            let name = key.as_string().unwrap_or_default();
            let value = property(globals, &key).map_err(|thrown| refused(&format!("global '{name}'"), thrown))?;
            self.set(&name, &value)?;
        }
        Ok(())
    }

    fn limit_memory(&self, limit: usize) -> Result<(), JsValue> {
        let used = self.lua.used_memory();
        if limit <= used {
            let message = format!("option memoryLimit: the VM itself needs {used} bytes, but the limit is {limit}");
            return Err(self.error_to_js(&ScriptError::new(Kind::Memory, &message)));
        }
        limits::set_memory_limit(&self.lua, limit).map_err(|error| self.lua_error_to_js(&error))
    }

    /// Compiles a chunk.
    pub(super) fn compile(&self, source: &[u8], chunk_name: &str) -> Result<LuaFunction, ScriptError> {
        self.compile_for(source, chunk_name, None)
    }

    /// Compiles a chunk within the limits of a thread. A module shares `_G` with the requiring script, whose globals are `requirer`.
    fn compile_for(
        &self,
        source: &[u8],
        chunk_name: &str,
        requirer: Option<&LuaTable>,
    ) -> Result<LuaFunction, ScriptError> {
        let load = || {
            let globals = self.globals.for_chunk(requirer)?;
            if let Some(script) = self.modules.script(&self.lua, chunk_name)? {
                self.globals.add_own(&globals, "script", script)?;
            }
            self.chunks.load(&self.lua, source, ChunkName::Host(chunk_name), globals)
        };
        self.scheduler.within_limits(load).map_err(|error| {
            let error = ScriptError::from_lua(&error, chunk_name);
            match error.kind {
                Kind::Syntax => ScriptError { syntax: self.chunks.syntax_errors(&self.lua, source).into(), ..error },
                _ => error,
            }
        })
    }

    pub(super) fn run(
        self: &Rc<Self>,
        source: &[u8],
        chunk_name: Option<&str>,
        args: &Array,
        id: Option<u32>,
    ) -> Promise {
        limits::make_room(&self.lua);
        let args = match self.converter.to_luau_values(&self.lua, args) {
            Ok(args) => args,
            Err(error) => return Promise::reject(&self.converter.conversion_error_to_js("an argument", &error)),
        };
        let chunk_name = chunk_name.unwrap_or(DEFAULT_CHUNK_NAME);
        self.promise_of(Urgency::AfterWork, Deferred::settle, |on_end| {
            let chunk = self.compile(source, chunk_name)?;
            let started = self.threads.start(&self.lua, chunk, args, id, on_end);
            started.map_err(|error| ScriptError::from_lua(&error, chunk_name))
        })
    }

    /// Calls a script function for the host.
    fn call(self: &Rc<Self>, function: LuaFunction, args: &Array) -> Promise {
        if self.is_disposed.get() {
            return self.hooks.rejected_call(&self.error_to_js(&Threads::disposed()));
        }
        // No more than that: a script can have the host call functions in a loop.
        if !limits::ensure_reserve(&self.lua, js::now) {
            let error = ScriptError::new(Kind::Memory, limits::refuse_memory());
            return self.hooks.rejected_call(&self.error_to_js(&error));
        }
        let args = match self.converter.to_luau_values(&self.lua, args) {
            Ok(args) => args,
            Err(error) => {
                return self.hooks.rejected_call(&self.converter.conversion_error_to_js("an argument", &error));
            }
        };
        self.promise_of(Urgency::CanWait, Deferred::settle_call, |on_end| {
            let started = self.threads.start(&self.lua, function, args, None, on_end);
            started.map_err(|error| ScriptError::from_lua(&error, DEFAULT_CHUNK_NAME))
        })
    }

    /// Returns a promise for a thread that `start` creates. `settle` settles it.
    fn promise_of(
        self: &Rc<Self>,
        urgency: Urgency,
        settle: fn(Deferred, Result<JsValue, JsValue>),
        start: impl FnOnce(OnEnd) -> Result<(), ScriptError>,
    ) -> Promise {
        let (promise, deferred) = self.hooks.promise();
        // Converting the arguments may have run host code.
        if self.is_disposed.get() {
            settle(deferred, Err(self.error_to_js(&Threads::disposed())));
            return promise;
        }
        let deferred = Rc::new(Cell::new(Some(deferred)));
        // A weak handle, because the VM keeps the thread, which holds this closure.
        let (converter, unsettled, hooks) = (self.converter.downgrade(), deferred.clone(), self.hooks.clone());
        let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
            let Some(deferred) = unsettled.take() else { return };
            let outcome = match converter.upgrade() {
                Some(converter) => outcome_to_js(&converter, outcome),
                // A function called by the thread has disposed the VM.
                None => Err(early_error_to_js(&hooks, &Threads::disposed())),
            };
            settle(deferred, outcome);
        };
        if let Err(error) = start(Box::new(on_end))
            && let Some(deferred) = deferred.take()
        {
            settle(deferred, Err(self.error_to_js(&error)));
        }
        self.scheduler.request_turn(urgency);
        promise
    }

    pub(super) fn cancel(&self, id: u32, reason: &JsValue) {
        let message = Some(message_of(reason)).filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| "the run was aborted".to_owned());
        let reason = caused(message, reason.clone());
        self.scheduler.notify_as(Urgency::AtOnce, || self.scheduler.cancel_numbered(&self.lua, id, &reason));
    }

    pub(super) fn get(&self, name: &str) -> Result<JsValue, JsValue> {
        let value = self.globals.get(name);
        value.and_then(|value| self.converter.to_js(&value)).map_err(|error| self.lua_error_to_js(&error))
    }

    pub(super) fn set(&self, name: &str, value: &JsValue) -> Result<(), JsValue> {
        let are_read_only = self.globals.are_read_only();
        let value = self.converter.to_luau_global(&self.lua, value, are_read_only);
        let value =
            value.map_err(|error| self.converter.conversion_error_to_js(&format!("global '{name}'"), &error))?;
        let set = || {
            let name = LuaValue::String(self.lua.create_string(name)?);
            self.globals.set(&self.lua, &name, &value)
        };
        set().map_err(|error: LuaError| self.lua_error_to_js(&error))
    }

    pub(super) fn idle(&self) -> Promise {
        let (promise, deferred) = self.hooks.promise();
        if self.is_idle() {
            deferred.settle(Ok(JsValue::UNDEFINED));
        } else {
            self.idle_promises.borrow_mut().push(deferred);
        }
        promise
    }

    pub(super) fn stats(&self) -> Object {
        let counts = self.scheduler.counts();
        let (stats, descriptor) = (Object::new(), descriptor());
        #[expect(clippy::cast_precision_loss, reason = "counts and bytes of a 32-bit state")]
        for (name, count) in [
            ("threads", counts.threads as f64),
            ("timers", counts.timers as f64),
            ("sockets", self.sockets.count() as f64),
            ("memory", self.lua.used_memory() as f64),
        ] {
            define(&stats, &name.into(), &count.into(), &descriptor);
        }
        stats
    }

    pub(super) fn error_to_js(&self, error: &ScriptError) -> JsValue {
        self.converter.error_to_js(error)
    }

    fn lua_error_to_js(&self, error: &LuaError) -> JsValue {
        self.error_to_js(&ScriptError::from_lua(error, DEFAULT_CHUNK_NAME))
    }
}

/// Implements `loadstring`. mlua's version raises an error if the source does not compile; Luau's returns nil and the message. The first
/// argument is the chunk's table of globals.
fn load_string(lua: &Lua, chunks: &Chunks, globals: &Globals, args: &Args) -> Result<LuaMultiValue, CallError> {
    let LuaValue::Table(own) = args.value(1) else { return Err(args.mismatch(1, "table")) };
    let source = args.string(2)?;
    let chunk_name = match args.value(3) {
        LuaValue::Nil => "=(loadstring)".to_owned(),
        _ => text::lossy(&args.string(3)?, text::CHUNK_NAME)
            .map_err(|error| CallError::new(format!("invalid argument #2 to 'loadstring' ({error})")))?,
    };
    let chunk_name = ChunkName::Script(&chunk_name);
    globals.note_replaced(&own)?;
    Ok(match chunks.load(lua, &source.as_bytes(), chunk_name, own) {
        Ok(function) => function.into_lua_multi(lua)?,
        Err(LuaError::SyntaxError { message, .. }) => (LuaNil, message).into_lua_multi(lua)?,
        Err(error) => return Err(error.into()),
    })
}
