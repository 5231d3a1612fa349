//! The libraries in a `Lua` of one's own, for crates that use this one from Rust.

use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use crate::bind::Binder;
use crate::error::{Kind, ScriptError};
use crate::host;
use crate::host::socket::Socket;
use crate::pump::Pump;
use crate::scheduler::{Scheduler, Urgency};
use crate::websocket::{Limits, Sockets};
use crate::{json, raw, task, websocket};

/// `task`, `websocket` with its signals, and `json` in a `Lua`, with what runs their threads.
///
/// Timers and sockets are those of the page, the worker or the program that the module runs in; so there must be some, and natively
/// there are none. All scripts of the `Lua` share its globals: to keep a script apart, give its chunk an environment
/// (`Chunk::set_environment`). Dropping it ends every thread and closes every socket.
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
    pump: Rc<Pump>,
}

impl Libraries {
    /// Puts the libraries into the globals of `lua`, and replaces functions of Luau's own library that take long on long values by ones
    /// that keep to the limits of time.
    ///
    /// [`cxx_runtime::init`] is to be called before the first `Lua` is made, and [`Lua::sandbox`] after this. The `Lua` must have the standard
    /// library, and `LuaOptions::catch_rust_panics` must be on, as it is by default: without it, mlua has a `pcall` of its own, through which
    /// no thread can wait.
    ///
    /// `on_error` takes the errors of threads, and `warn` what is to be told to who wrote the script.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn install(
        lua: &Lua,
        limits: Limits,
        on_error: impl Fn(&ScriptError) + 'static,
        warn: impl Fn(&str) + 'static,
    ) -> LuaResult<Self> {
        let scheduler = Scheduler::new(host::now, move |error| on_error(&error));
        let binder = Binder::new(lua, &scheduler)?;
        let sockets = Sockets::new(&scheduler, limits, warn, |url, protocols, longest, on_event| {
            Ok(Rc::new(Socket::connect(None, url, protocols, longest, on_event)?))
        });
        raw::install_natives(lua, host::date::TIME_ZONE)?;
        json::install(lua, &binder)?;
        task::install(lua, &binder, &scheduler)?;
        websocket::install(lua, &binder, &sockets)?;
        let pump = Pump::new(lua, &scheduler, None, || {});
        Ok(Self { lua: lua.weak(), scheduler, sockets, pump })
    }

    /// Runs `function` in a thread of its own, up to its first wait before this returns. Its errors go to `on_error`.
    ///
    /// # Errors
    /// When there is no memory, or an argument cannot be converted.
    pub fn spawn(&self, lua: &Lua, function: LuaFunction, args: impl IntoLuaMulti) -> LuaResult<LuaThread> {
        let args = args.into_lua_multi(lua)?;
        let thread = lua.create_thread(function)?;
        self.scheduler.notify(Urgency::AtOnce, || self.scheduler.resume(thread.clone(), args));
        Ok(thread)
    }

    /// The scheduler: for functions of one's own that wait ([`Binder::parking`]), signals ([`crate::signal`]), and limits of time.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Whether no thread, timer or socket is left.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.scheduler.is_idle() && self.sockets.count() == 0
    }
}

impl Drop for Libraries {
    fn drop(&mut self) {
        self.pump.stop();
        self.sockets.end();
        if let Some(lua) = self.lua.try_upgrade() {
            let error = ScriptError::plain(Kind::Disposed, "the libraries were dropped");
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
