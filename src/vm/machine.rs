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
use crate::bind::{Args, Binder, Callee};
use crate::chunk::Chunks;
use crate::convert::{Converter, early_error_to_js, page_failure};
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::host::hooks::{Deferred, Hooks};
use crate::host::socket::Socket;
use crate::host::values::{define, descriptor, message_of, plain_keys, property};
use crate::modules::{self, Modules, OnEnd};
use crate::pump::Pump;
use crate::scheduler::{Scheduler, Timer, Urgency};
use crate::websocket::Sockets;
use crate::{console, debug, host, json, raw, task, text, websocket};

/// The name of a chunk that was given none.
pub(super) const DEFAULT_CHUNK_NAME: &str = "script";

/// What a VM is made of. It is alive as long as the page holds it, or until it is idle once the page does not.
#[derive(Debug)]
pub(super) struct Machine {
    lua: Lua,
    chunks: Rc<Chunks>,
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
        // The default options matter: without `catch_rust_panics` mlua puts a `pcall` of its own in the place of Luau's,
        // and no thread can yield through that one.
        let lua = Lua::new_with(LuaStdLib::ALL_SAFE, LuaOptions::default()).map_err(early)?;
        let reporter = Reporter::new(options.on_error.clone());
        let (of_scheduler, clock) = (reporter.clone(), host::now);
        let scheduler = Scheduler::new(clock, move |error| of_scheduler.report(&error));
        let binder = Binder::new(&lua, &scheduler).map_err(early)?;
        let converter = Converter::new(&lua, &scheduler, &binder, hooks.clone()).map_err(early)?;
        reporter.set_converter(&converter);
        let (globals, sandbox, memory_limit) = (options.globals.clone(), options.sandbox, options.memory_limit);

        let machine = Self::assemble(lua, scheduler, &binder, converter, options).map_err(early)?;
        if let Some(globals) = globals {
            machine.set_globals(&globals)?;
        }
        // After the last change to the globals: from here on they are read-only for scripts, who get their own on top.
        machine.lua.sandbox(sandbox).map_err(early)?;
        machine.chunks.set_globals(machine.lua.globals());
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
        console::install(&lua, &converter, options.print, options.warn)?;
        debug::install(&lua)?;
        json::install(&lua, binder)?;
        task::install(&lua, binder, &scheduler)?;
        websocket::install(&lua, binder, &sockets)?;
        let chunks = Rc::new(Chunks::new(&lua, options.optimize, host::now)?);
        let of_loadstring = Rc::downgrade(&chunks);
        let loadstring = binder.plain(&lua, Callee::Function("loadstring"), move |lua, args| {
            let chunks = of_loadstring.upgrade().ok_or_else(|| Failure::new("the VM is disposed"))?;
            load_string(lua, &chunks, &args)
        })?;
        lua.globals().raw_set("loadstring", loadstring)?;
        let threads = Threads::new(&lua, &scheduler)?;
        scheduler.set_limits(&lua, options.time)?;

        let machine = Rc::new_cyclic(|machine: &Weak<Self>| {
            let (of_pump, of_modules, of_runner) = (machine.clone(), machine.clone(), machine.clone());
            let pump = Pump::new(&lua, &scheduler, move || {
                if let Some(machine) = of_pump.upgrade() {
                    machine.rest();
                }
            });
            let modules = Modules::new(&scheduler, options.modules, move |source, name, on_end| {
                let machine = of_modules.upgrade().ok_or_else(Threads::disposed)?;
                machine.start(source, name, LuaMultiValue::new(), on_end)
            });
            let runner_hooks = options.hooks.clone();
            converter.set_runner(move |function, args| match of_runner.upgrade() {
                Some(machine) => machine.call(function, args),
                None => Promise::reject(&early_error_to_js(&runner_hooks, &Threads::disposed())),
            });
            Self {
                chunks,
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
        modules::install(&machine.lua, binder, &machine.modules)?;
        Ok(machine)
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

    pub(super) fn compile(&self, source: &[u8], chunk_name: &str) -> Result<LuaFunction, ScriptError> {
        self.chunks
            .load(&self.lua, source, &format!("={chunk_name}"), self.chunks.globals())
            .map_err(|error| ScriptError::from_lua(&error, chunk_name))
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
        self.promise_of(Urgency::AtOnce, |on_end| {
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
            return Promise::reject(&self.error_to_js(&Threads::disposed()));
        }
        raw::make_room(&self.lua);
        let args = match self.converter.to_luau_values(&self.lua, args) {
            Ok(args) => args,
            Err(refusal) => return Promise::reject(&self.converter.refusal_to_js("an argument", &refusal)),
        };
        self.promise_of(Urgency::CanWait, |on_end| {
            let started = self.threads.start(&self.lua, function, args, on_end);
            started.map(drop).map_err(|error| ScriptError::from_lua(&error, DEFAULT_CHUNK_NAME))
        })
    }

    /// The promise for a thread that `start` makes.
    fn promise_of(self: &Rc<Self>, urgency: Urgency, start: impl FnOnce(OnEnd) -> Result<(), ScriptError>) -> Promise {
        // Converting the arguments may have run code of the page.
        if self.is_disposed.get() {
            return Promise::reject(&self.error_to_js(&Threads::disposed()));
        }
        let (promise, deferred) = self.hooks.promise();
        let deferred = Rc::new(Cell::new(Some(deferred)));
        // Weakly: the thread, which the VM keeps, holds this.
        let (converter, unsettled, hooks) = (self.converter.downgrade(), deferred.clone(), self.hooks.clone());
        let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
            let Some(deferred) = unsettled.take() else { return };
            deferred.settle(match converter.upgrade() {
                Some(converter) => outcome_to_js(&converter, outcome),
                // Disposed by a function that the thread called as its last.
                None => Err(early_error_to_js(&hooks, &Threads::disposed())),
            });
        };
        if let Err(error) = start(Box::new(on_end))
            && let Some(deferred) = deferred.take()
        {
            deferred.settle(Err(self.error_to_js(&error)));
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
        let value = self.chunks.global(name);
        value.and_then(|value| self.converter.to_js(&value)).map_err(|error| self.lua_error_to_js(&error))
    }

    pub(super) fn set(&self, name: &str, value: &JsValue) -> Result<(), JsValue> {
        raw::make_room(&self.lua);
        let value = self.converter.to_luau(&self.lua, value);
        let value = value.map_err(|refusal| self.converter.refusal_to_js(&format!("global '{name}'"), &refusal))?;
        let set = || {
            let name = LuaValue::String(self.lua.create_string(name)?);
            let globals = self.chunks.globals();
            globals.raw_set(&name, value)?;
            self.chunks.note_global(&self.lua, &name, &globals)
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

/// mlua's own raises an error for what does not compile; Luau's returns nil and the message.
fn load_string(lua: &Lua, chunks: &Chunks, args: &Args) -> Result<LuaMultiValue, Failure> {
    let source = args.string(1)?;
    let chunk_name = match args.value(2) {
        LuaValue::Nil => "=(loadstring)".to_owned(),
        _ => text::lossy(&args.string(2)?, text::CHUNK_NAME)
            .map_err(|error| Failure::new(format!("invalid argument #2 to 'loadstring' ({error})")))?,
    };
    let source = source.as_bytes().to_vec();
    // Those of the thread that calls.
    Ok(match chunks.load(lua, &source, &chunk_name, lua.globals()) {
        Ok(function) => function.into_lua_multi(lua)?,
        Err(LuaError::SyntaxError { message, .. }) => (LuaNil, message).into_lua_multi(lua)?,
        Err(error) => return Err(error.into()),
    })
}
