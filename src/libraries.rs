//! The libraries for your own `Lua`, for crates that use this one from Rust.

use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use crate::event_loop::EventLoop;
use crate::js;
use crate::js::socket::Socket;
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::function::FunctionBuilder;
use luau_runtime::scheduler::{Scheduler, Urgency};
use luau_runtime::websocket::{Limits, Sockets};
use luau_runtime::{json, standard, task, websocket};

/// `task`, `websocket` with its signals, and `json` in a `Lua`, along with the event loop that runs their threads.
///
/// Timers and sockets are those of the page, worker or process that runs the module, so this does not work natively. All scripts of the
/// `Lua` share its globals. To isolate a script, give its chunk an environment (`Chunk::set_environment`). Dropping the libraries ends
/// every thread and closes every socket.
///
/// ```no_run
/// use luau_websocket::Libraries;
/// use luau_websocket::websocket::Limits;
/// use mlua::prelude::*;
///
/// # fn main() -> LuaResult<()> {
/// cxx_runtime::init();
/// let lua = Lua::new();
/// let libraries = Libraries::install(&lua, Limits::default(), |error| log(&error.message), |warning| log(warning))?;
/// lua.sandbox(true)?;
///
/// let script = lua.load("task.wait(1) print('a second later')").set_name("=script").into_function()?;
/// libraries.spawn(&lua, script, ())?;
/// # Ok(())
/// # }
/// # fn log(_: &str) {}
/// ```
#[must_use = "the libraries end when this is dropped"]
pub struct Libraries {
    lua: WeakLua,
    scheduler: Scheduler,
    sockets: Sockets,
    event_loop: Rc<EventLoop>,
}

impl Libraries {
    /// Adds the libraries to the globals of `lua`, and replaces functions of Luau's own library that take long on long values with versions
    /// that respect time limits.
    ///
    /// Call [`cxx_runtime::init`] before you create the first `Lua`, and [`Lua::sandbox`] after this. The `Lua` must have the standard
    /// library, and `LuaOptions::catch_rust_panics` must be on, which is the default: without it, mlua installs its own `pcall`, through
    /// which no thread can yield.
    ///
    /// `on_error` receives the errors of threads, and `warn` the warnings for the author of the script.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn install(
        lua: &Lua,
        limits: Limits,
        on_error: impl Fn(&ScriptError) + 'static,
        warn: impl Fn(&str) + 'static,
    ) -> LuaResult<Self> {
        let scheduler = Scheduler::new(js::now, move |error| on_error(&error));
        let builder = FunctionBuilder::new(lua, &scheduler)?;
        let sockets = Sockets::new(&scheduler, limits, warn, |url, protocols, max_length, on_event| {
            Ok(Rc::new(Socket::connect(None, url, protocols, max_length, on_event)?))
        });
        standard::install_natives(lua, js::date::TIME_ZONE)?;
        json::install(lua, &builder)?;
        task::install(lua, &builder, &scheduler)?;
        websocket::install(lua, &builder, &sockets)?;
        let event_loop = EventLoop::new(lua, &scheduler, None, || {});
        Ok(Self { lua: lua.weak(), scheduler, sockets, event_loop })
    }

    /// Runs `function` in a thread of its own, up to its first wait. Its errors go to `on_error`.
    ///
    /// # Errors
    /// If there is not enough memory, or an argument cannot be converted.
    pub fn spawn(&self, lua: &Lua, function: LuaFunction, args: impl IntoLuaMulti) -> LuaResult<LuaThread> {
        let args = args.into_lua_multi(lua)?;
        let thread = lua.create_thread(function)?;
        self.scheduler.notify_as(Urgency::AtOnce, || self.scheduler.resume(thread.clone(), args));
        Ok(thread)
    }

    /// Returns the scheduler, for your own functions that wait ([`FunctionBuilder::yielding`]), signals ([`luau_runtime::signal`]), and
    /// time limits.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Returns true if no thread, timer or socket is left.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.scheduler.is_idle() && self.sockets.count() == 0
    }
}

impl Drop for Libraries {
    fn drop(&mut self) {
        self.event_loop.stop();
        self.sockets.end();
        if let Some(lua) = self.lua.try_upgrade() {
            let error = ScriptError::new(Kind::Disposed, "the libraries were dropped");
            self.scheduler.clear(&lua, &error);
            self.scheduler.end_running(&lua, error.kind, &error.message);
        }
    }
}

impl fmt::Debug for Libraries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Libraries")
            .field("scheduler", &self.scheduler)
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}
