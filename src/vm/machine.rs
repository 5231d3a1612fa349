//! A VM with its libraries, its scheduler and what drives it.

mod life;
mod report;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use js_sys::{Array, Object, Promise};
use mlua::prelude::*;
use wasm_bindgen::prelude::*;

use self::report::{Reporter, outcome_to_js, warn};
use super::options::Options;
use super::threads::Threads;
use crate::bind::{Args, Binder};
use crate::chunk::Chunks;
use crate::convert::{Converter, early_error_to_js, page_failure};
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::globals::Globals;
use crate::host::hooks::{Deferred, Hooks};
use crate::host::socket::Socket;
use crate::host::values::{define, descriptor, message_of, plain_keys, property};
use crate::modules::{self, Modules, OnEnd};
use crate::pump::Pump;
use crate::scheduler::{Scheduler, Timer, Urgency};
use crate::websocket::Sockets;
use crate::{console, host, json, raw, task, text, websocket};

/// The name of a chunk that was given none.
pub(super) const DEFAULT_CHUNK_NAME: &str = "script";

/// The memory of a new VM, in bytes. mlua panics if there is none.
const VM_SIZE: usize = 1 << 20;

/// What a VM is made of. It is alive as long as the page holds it, or until it is idle once the page does not.
#[derive(Debug)]
pub(super) struct Machine {
    lua: Lua,
    chunks: Rc<Chunks>,
    globals: Rc<Globals>,
    scheduler: Scheduler,
    sockets: Sockets,
    threads: Threads,
    converter: Converter,
    hooks: Hooks,
    modules: Modules,
    pump: Rc<Pump>,
    /// The runs that can be cancelled, by the number that the page gave them.
    runs: RefCell<HashMap<u32, LuaThread>>,
    /// Who waits for the VM to be idle.
    idlers: RefCell<Vec<Deferred>>,
    /// Itself, when the page has let go of the VM without disposing it and there is still something to do: as a timer
    /// of the page's own goes on without a reference to it.
    kept: RefCell<Option<Rc<Machine>>>,
    /// When the collector is asked next for connections that no script can reach.
    search: RefCell<Option<Timer>>,
    /// How often a thread had been resumed when it was asked last: without another one there is nothing new to find.
    searched_at: Cell<Option<u64>>,
    is_disposed: Cell<bool>,
}

impl Machine {
    pub(super) fn new(options: Options) -> Result<Rc<Self>, JsValue> {
        let hooks = options.hooks.clone();
        let early = |error: LuaError| early_error_to_js(&hooks, &ScriptError::from_lua(&error, DEFAULT_CHUNK_NAME));
        if !raw::has_room(VM_SIZE) {
            return Err(early(LuaError::MemoryError(raw::refuse_memory().to_owned())));
        }
        raw::set_flags().map_err(early)?;
        // The default options matter: without `catch_rust_panics` mlua puts a `pcall` of its own in the place of Luau's,
        // and no thread can yield through that one.
        let lua = Lua::new_with(LuaStdLib::ALL_SAFE, LuaOptions::default()).map_err(early)?;
        let reporter = Reporter::new(options.on_error.clone());
        let (of_scheduler, clock) = (reporter.clone(), host::now);
        let scheduler = Scheduler::new(clock, move |error| of_scheduler.report(&error));
        let binder = Binder::new(&lua, &scheduler).map_err(early)?;
        let converter = Converter::new(&lua, &scheduler, &binder, hooks.clone()).map_err(early)?;
        reporter.set_converter(&converter);
        let (globals, memory_limit) = (options.globals.clone(), options.memory_limit);

        let machine = Self::assemble(lua, scheduler, &binder, converter, options).map_err(early)?;
        if let Some(globals) = globals {
            machine.set_globals(&globals)?;
        }
        machine.seal(&binder).map_err(early)?;
        if let Some(limit) = memory_limit {
            machine.limit_memory(limit)?;
        }
        Ok(machine)
    }

    fn assemble(
        lua: Lua,
        scheduler: Scheduler,
        binder: &Binder,
        converter: Converter,
        options: Options,
    ) -> LuaResult<Rc<Self>> {
        let of_sockets = options.warn.clone();
        let constructor = options.constructor;
        let sockets = Sockets::new(
            &scheduler,
            options.sockets,
            move |text| warn(&of_sockets, text),
            move |url, protocols, longest, on_event| {
                Ok(Rc::new(Socket::connect(constructor.as_ref(), url, protocols, longest, on_event)?))
            },
        );
        raw::install_natives(&lua, host::date::TIME_ZONE)?;
        raw::install_collectgarbage(&lua, options.scope.is_none())?;
        // mlua adds its version of Luau. Scripts compare the value with the one that every Luau has.
        lua.globals().raw_set("_VERSION", "Luau")?;
        console::install(&lua, &converter, options.print, options.warn)?;
        json::install(&lua, binder)?;
        task::install(&lua, binder, &scheduler)?;
        websocket::install(&lua, binder, &sockets)?;
        let chunks = Rc::new(Chunks::new(&lua, options.optimize, host::now)?);
        let globals = Rc::new(Globals::new(&lua, options.scope, options.script.is_some())?);
        let threads = Threads::new(&lua, &scheduler)?;
        scheduler.set_limits(&lua, options.time)?;

        let machine = Rc::new_cyclic(|machine: &Weak<Self>| {
            let (of_pump, of_modules, of_runner) = (machine.clone(), machine.clone(), machine.clone());
            let pump = Pump::new(&lua, &scheduler, options.turns.clone(), move || {
                if let Some(machine) = of_pump.upgrade() {
                    machine.rest();
                }
            });
            let modules = Modules::new(&scheduler, options.modules, move |source, name, asking, on_end| {
                let machine = of_modules.upgrade().ok_or_else(Threads::disposed)?;
                let chunk = machine.compile_for(source, name, asking)?;
                let thread = machine.threads.prepare(&machine.lua, on_end);
                thread.map(|thread| (thread, chunk)).map_err(|error| ScriptError::from_lua(&error, name))
            });
            let runner_hooks = options.hooks.clone();
            converter.set_runner(move |function, args| match of_runner.upgrade() {
                Some(machine) => machine.call(function, args),
                None => runner_hooks.rejected_call(&early_error_to_js(&runner_hooks, &Threads::disposed())),
            });
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
                pump,
                runs: RefCell::default(),
                idlers: RefCell::default(),
                kept: RefCell::default(),
                search: RefCell::default(),
                searched_at: Cell::new(None),
                is_disposed: Cell::new(false),
            }
        });
        modules::install(&machine.lua, binder, &machine.modules, options.script.as_ref())?;
        Ok(machine)
    }

    /// Ends the making of the globals: from here on the shared ones are read-only for scripts.
    fn seal(&self, binder: &Binder) -> LuaResult<()> {
        let (chunks, globals) = (Rc::downgrade(&self.chunks), Rc::downgrade(&self.globals));
        let make_loadstring =
            binder.bound(&self.lua, "loadstring", move |lua, args| match (chunks.upgrade(), globals.upgrade()) {
                (Some(chunks), Some(globals)) => load_string(lua, &chunks, &globals, &args),
                _ => Err(Failure::new("the VM is disposed")),
            })?;
        self.globals.seal(&self.lua, &make_loadstring)
    }

    /// Puts the page's globals beside our own.
    fn set_globals(&self, globals: &JsValue) -> Result<(), JsValue> {
        let refused = |what: &str, thrown: JsValue| self.converter.refusal_to_js(what, &thrown.into());
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
            let message = format!("option memoryLimit: the VM itself needs {used} bytes, and the limit is {limit}");
            return Err(self.error_to_js(&ScriptError::plain(Kind::Memory, &message)));
        }
        raw::set_memory_limit(&self.lua, limit).map_err(|error| self.lua_error_to_js(&error))
    }

    /// Compiles a chunk.
    pub(super) fn compile(&self, source: &[u8], chunk_name: &str) -> Result<LuaFunction, ScriptError> {
        self.compile_for(source, chunk_name, None)
    }

    /// Compiles a chunk within the limits of a thread; a module shares `_G` with the script that requires it with the globals `asking`.
    fn compile_for(
        &self,
        source: &[u8],
        chunk_name: &str,
        asking: Option<&LuaTable>,
    ) -> Result<LuaFunction, ScriptError> {
        let load = || {
            let globals = self.globals.for_chunk(asking)?;
            if let Some(script) = self.modules.script(&self.lua, chunk_name)? {
                self.globals.add_own(&globals, "script", script)?;
            }
            self.chunks.load(&self.lua, source, &format!("={chunk_name}"), globals)
        };
        self.scheduler.within_limits(load).map_err(|error| {
            let error = ScriptError::from_lua(&error, chunk_name);
            match error.kind {
                Kind::Syntax => ScriptError { syntax: self.chunks.syntax_errors(&self.lua, source).into(), ..error },
                _ => error,
            }
        })
    }

    /// Compiles a chunk and has it run in a thread.
    fn start(
        &self,
        source: &[u8],
        chunk_name: &str,
        args: LuaMultiValue,
        on_end: OnEnd,
    ) -> Result<LuaThread, ScriptError> {
        let chunk = self.compile(source, chunk_name)?;
        self.threads.start(&self.lua, chunk, args, on_end).map_err(|error| ScriptError::from_lua(&error, chunk_name))
    }

    pub(super) fn run(
        self: &Rc<Self>,
        source: &[u8],
        chunk_name: Option<&str>,
        args: &Array,
        id: Option<u32>,
    ) -> Promise {
        raw::make_room(&self.lua);
        let args = match self.converter.to_luau_values(&self.lua, args) {
            Ok(args) => args,
            Err(refusal) => return Promise::reject(&self.converter.refusal_to_js("an argument", &refusal)),
        };
        self.promise_of(Urgency::AfterWork, Deferred::settle, |on_end| {
            let machine = Rc::downgrade(self);
            let on_end = move |outcome| {
                if let (Some(machine), Some(id)) = (machine.upgrade(), id) {
                    machine.runs.borrow_mut().remove(&id);
                }
                on_end(outcome);
            };
            let thread = self.start(source, chunk_name.unwrap_or(DEFAULT_CHUNK_NAME), args, Box::new(on_end))?;
            if let Some(id) = id {
                self.runs.borrow_mut().insert(id, thread);
            }
            Ok(())
        })
    }

    /// Calls a function of a script for the page.
    fn call(self: &Rc<Self>, function: LuaFunction, args: &Array) -> Promise {
        if self.is_disposed.get() {
            return self.hooks.rejected_call(&self.error_to_js(&Threads::disposed()));
        }
        raw::make_room(&self.lua);
        let args = match self.converter.to_luau_values(&self.lua, args) {
            Ok(args) => args,
            Err(refusal) => {
                return self.hooks.rejected_call(&self.converter.refusal_to_js("an argument", &refusal));
            }
        };
        self.promise_of(Urgency::CanWait, Deferred::settle_call, |on_end| {
            let started = self.threads.start(&self.lua, function, args, on_end);
            started.map(drop).map_err(|error| ScriptError::from_lua(&error, DEFAULT_CHUNK_NAME))
        })
    }

    /// The promise for a thread that `start` makes, which `settle` settles.
    fn promise_of(
        self: &Rc<Self>,
        urgency: Urgency,
        settle: fn(Deferred, Result<JsValue, JsValue>),
        start: impl FnOnce(OnEnd) -> Result<(), ScriptError>,
    ) -> Promise {
        let (promise, deferred) = self.hooks.promise();
        // Converting the arguments may have run code of the page.
        if self.is_disposed.get() {
            settle(deferred, Err(self.error_to_js(&Threads::disposed())));
            return promise;
        }
        let deferred = Rc::new(Cell::new(Some(deferred)));
        // Weakly: the thread, which the VM keeps, holds this.
        let (converter, unsettled, hooks) = (self.converter.downgrade(), deferred.clone(), self.hooks.clone());
        let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
            let Some(deferred) = unsettled.take() else { return };
            let outcome = match converter.upgrade() {
                Some(converter) => outcome_to_js(&converter, outcome),
                // Disposed by a function that the thread called as its last.
                None => Err(early_error_to_js(&hooks, &Threads::disposed())),
            };
            settle(deferred, outcome);
        };
        if let Err(error) = start(Box::new(on_end))
            && let Some(deferred) = deferred.take()
        {
            settle(deferred, Err(self.error_to_js(&error)));
        }
        self.scheduler.notify(urgency, || {});
        promise
    }

    pub(super) fn cancel(&self, id: u32, reason: &JsValue) {
        let thread = self.runs.borrow_mut().remove(&id);
        let Some(thread) = thread else { return };
        let message = Some(message_of(reason)).filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| "the run was aborted".to_owned());
        self.scheduler.note_reason(&thread, &page_failure(message.clone(), reason.clone()));
        self.scheduler.notify(Urgency::AtOnce, || self.scheduler.cancel(&self.lua, &thread, &message));
    }

    pub(super) fn get(&self, name: &str) -> Result<JsValue, JsValue> {
        let value = self.globals.get(name);
        value.and_then(|value| self.converter.to_js(&value)).map_err(|error| self.lua_error_to_js(&error))
    }

    pub(super) fn set(&self, name: &str, value: &JsValue) -> Result<(), JsValue> {
        raw::make_room(&self.lua);
        let are_read_only = self.globals.are_read_only();
        let value = self.converter.to_luau_global(&self.lua, value, are_read_only);
        let value = value.map_err(|refusal| self.converter.refusal_to_js(&format!("global '{name}'"), &refusal))?;
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
            self.idlers.borrow_mut().push(deferred);
        }
        promise
    }

    pub(super) fn stats(&self) -> Object {
        let counts = self.scheduler.counts();
        let (stats, descriptor) = (Object::new(), descriptor());
        #[expect(clippy::cast_precision_loss, reason = "counts and bytes of a 32-bit machine")]
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

/// mlua's own raises an error for what does not compile; Luau's returns nil and the message. The first argument is the table of globals
/// that the chunk gets.
fn load_string(lua: &Lua, chunks: &Chunks, globals: &Globals, args: &Args) -> Result<LuaMultiValue, Failure> {
    let LuaValue::Table(own) = args.value(1) else { return Err(args.mismatch(1, "table")) };
    let source = args.string(2)?;
    let chunk_name = match args.value(3) {
        LuaValue::Nil => "=(loadstring)".to_owned(),
        _ => text::lossy(&args.string(3)?, text::CHUNK_NAME)
            .map_err(|error| Failure::new(format!("invalid argument #2 to 'loadstring' ({error})")))?,
    };
    let source = source.as_bytes().to_vec();
    globals.note_replaced(&own)?;
    Ok(match chunks.load(lua, &source, &chunk_name, own) {
        Ok(function) => function.into_lua_multi(lua)?,
        Err(LuaError::SyntaxError { message, .. }) => (LuaNil, message).into_lua_multi(lua)?,
        Err(error) => return Err(error.into()),
    })
}
