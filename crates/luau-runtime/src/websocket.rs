//! The library `websocket`: `connect`, and the connection that it returns.
//!
//! A connection is one `ConnectionState` with three kinds of holders: the userdata that scripts see, the browser's callbacks (weakly), and
//! the VM's list of live sockets, which keeps it until it has closed. When scripts can no longer reach a connection and nothing listens to
//! it, the garbage collector causes it to be closed (`ConnectionGuard`).
//!
//! The browser's events go into the inbox. Dispatches of the scheduler deliver them, one event each, so that the handlers of one finish
//! before the next. They are delivered only while something listens, and are not lost before.

mod connection;
mod inbox;
mod options;
mod transport;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use self::connection::ConnectionState;
use self::inbox::Total;
use self::options::{Options, is_websocket_url};
pub use self::transport::{SocketEvent, Transport};
use crate::call_error::CallError;
use crate::function::{Args, Callee, FunctionBuilder};
use crate::scheduler::Scheduler;
use crate::task::MILLISECONDS_PER_SECOND;
use crate::text;

/// A function that creates sockets: the browser's, the host's replacement, or a test's.
///
/// Its arguments are the URL, the subprotocols, the maximum length of a message in bytes, and the event handler.
type Connector = dyn Fn(&str, &[String], usize, Box<dyn Fn(SocketEvent)>) -> Result<Rc<dyn Transport>, String>;

/// The limits on the connections of a VM, and on the messages that they keep while scripts do not read them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The maximum number of simultaneous connections, including those that are being opened.
    pub connections: usize,
    /// The maximum number of messages that a connection keeps.
    pub messages: usize,
    /// The maximum total size of these messages, in bytes.
    pub bytes: usize,
    /// The maximum size of the messages that all connections together keep, in bytes. The same limit applies to the bytes waiting to be
    /// sent.
    pub total_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // Chromium and Firefox allow 255 and 200 simultaneous connections, for all pages together.
        Self { connections: 255, messages: 65_536, bytes: 16 * 1024 * 1024, total_bytes: 1 << 30 }
    }
}

/// The sockets of one VM. Cloning creates another handle to the same sockets.
#[derive(Clone)]
pub struct Sockets(Rc<SocketsInner>);

struct SocketsInner {
    scheduler: Scheduler,
    connector: Box<Connector>,
    limits: Limits,
    total: Total,
    /// The function that shows warnings to the author of the script.
    warn: Box<dyn Fn(&str)>,
    live: RefCell<BTreeMap<u64, Rc<ConnectionState>>>,
    /// The connections that may have lost their last listener. Only these need a check after each message.
    maybe_abandoned: RefCell<BTreeSet<u64>>,
    next_id: Cell<u64>,
    /// True once the VM has ended. A thread that runs at that moment may still try to connect.
    has_ended: Cell<bool>,
}

impl Sockets {
    /// Creates an empty set of sockets. `connector` creates a socket, and `warn` shows warnings to the author of the script.
    pub fn new(
        scheduler: &Scheduler,
        limits: Limits,
        warn: impl Fn(&str) + 'static,
        connector: impl Fn(&str, &[String], usize, Box<dyn Fn(SocketEvent)>) -> Result<Rc<dyn Transport>, String> + 'static,
    ) -> Self {
        Self(Rc::new(SocketsInner {
            scheduler: scheduler.clone(),
            connector: Box::new(connector),
            limits,
            total: Total::new(limits.total_bytes),
            warn: Box::new(warn),
            live: RefCell::default(),
            maybe_abandoned: RefCell::default(),
            next_id: Cell::new(0),
            has_ended: Cell::new(false),
        }))
    }

    /// Closes every socket. Afterwards no socket can be opened.
    pub fn end(&self) {
        self.0.has_ended.set(true);
        self.close_all();
    }

    /// Closes every socket, including those that are being opened. Their events are discarded.
    pub fn close_all(&self) {
        let live = self.0.live.take();
        for shared in live.into_values() {
            shared.detach();
        }
    }

    /// Returns the number of sockets that are not closed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.live.borrow().len()
    }

    /// Returns true if there is a connection that nothing listens to, and that scripts may no longer be able to reach.
    #[must_use]
    pub fn may_have_abandoned(&self) -> bool {
        let (live, mut maybe_abandoned) = (self.0.live.borrow(), self.0.maybe_abandoned.borrow_mut());
        maybe_abandoned.retain(|id| live.get(id).is_some_and(|shared| shared.is_open_without_listener()));
        !maybe_abandoned.is_empty()
    }

    fn scheduler(&self) -> &Scheduler {
        &self.0.scheduler
    }

    fn limits(&self) -> Limits {
        self.0.limits
    }

    fn total(&self) -> &Total {
        &self.0.total
    }

    fn check_send_buffer(&self, length: usize) -> Result<(), String> {
        let max = self.0.limits.total_bytes;
        // Collected first: the host may have provided the socket, whose getter may do anything.
        let live: Vec<Rc<ConnectionState>> = self.0.live.borrow().values().cloned().collect();
        let waiting: f64 = live.iter().map(|shared| shared.buffered_amount()).sum();
        #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^32")]
        if waiting > 0.0 && waiting + length as f64 > max as f64 {
            return Err(format!(
                "cannot send: {waiting} bytes are waiting to be sent, and the limit is {max}; wait until BufferedAmount is \
                lower, for example with task.wait()"
            ));
        }
        Ok(())
    }

    fn warn(&self, message: &str) {
        (self.0.warn)(message);
    }

    fn downgrade(&self) -> WeakSockets {
        WeakSockets(Rc::downgrade(&self.0))
    }

    fn add(&self, shared: &Rc<ConnectionState>) {
        self.0.live.borrow_mut().insert(shared.id, shared.clone());
    }

    fn note_maybe_abandoned(&self, id: u64) {
        self.0.maybe_abandoned.borrow_mut().insert(id);
    }

    fn remove(&self, id: u64) {
        let shared = self.0.live.borrow_mut().remove(&id);
        drop(shared);
    }
}

/// A handle that does not keep the other connections alive.
struct WeakSockets(Weak<SocketsInner>);

impl WeakSockets {
    fn upgrade(&self) -> Option<Sockets> {
        self.0.upgrade().map(Sockets)
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// Adds `websocket`, and its older name `WebSocket`, to the globals of `lua`.
///
/// # Errors
/// If there is not enough memory.
pub fn install(lua: &Lua, builder: &FunctionBuilder, sockets: &Sockets) -> LuaResult<()> {
    connection::install(lua, builder)?;

    let sockets = sockets.clone();
    let connect = builder.yielding(lua, Callee::Function("connect"), move |lua, args| connect(lua, &sockets, &args))?;
    let websocket = lua.create_table()?;
    websocket.raw_set("connect", connect)?;
    lua.globals().raw_set("websocket", websocket.clone())?;
    lua.globals().raw_set("WebSocket", websocket)
}

/// Parks the thread, or returns the reason for which there is no connection.
fn connect(lua: &Lua, sockets: &Sockets, args: &Args) -> Result<Option<String>, CallError> {
    let given = args.string(1)?;
    let url =
        text::lossy(&given, text::URL).map_err(|error| CallError::new(format!("invalid websocket url ({error})")))?;
    if !is_websocket_url(&url) {
        let shown = text::shown(&given);
        return Err(CallError::new(format!("invalid websocket url \"{shown}\" (it must begin with ws:// or wss://)")));
    }
    let options = Options::read(args, 2)?;
    if sockets.0.has_ended.get() {
        return Err(CallError::new("cannot connect: the VM is disposed"));
    }

    let scheduler = &sockets.0.scheduler;
    let id = sockets.0.next_id.replace(sockets.0.next_id.get() + 1);
    let (seconds, protocols) = (options.timeout, options.protocols.clone());
    let shared = ConnectionState::new(id, sockets, url.clone(), options);
    let max = sockets.0.limits.connections;
    let socket = if sockets.count() < max {
        (sockets.0.connector)(&url, &protocols, sockets.total().max_bytes(), Box::new(shared.event_handler()))
    } else {
        Err(format!("too many connections: the host allows {max} at a time"))
    };
    let socket = match socket {
        Ok(socket) => socket,
        Err(reason) => return Ok(Some(text::shown_reason(&reason, &url))),
    };

    let token = {
        let shared = Rc::downgrade(&shared);
        scheduler.park(lua, move || {
            if let Some(shared) = shared.upgrade() {
                shared.detach();
                shared.unregister();
            }
        })
    };
    let timer = {
        let shared = Rc::downgrade(&shared);
        scheduler.timer(seconds * MILLISECONDS_PER_SECOND, move || {
            if let Some(shared) = shared.upgrade() {
                shared.connect_timed_out(seconds);
            }
        })
    };
    shared.set_connecting(socket, token, timer);
    sockets.add(&shared);
    Ok(None)
}
