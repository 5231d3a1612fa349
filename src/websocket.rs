//! The library `websocket`: `connect`, and the connection it gives.
//!
//! A connection is one `Shared` with three kinds of holders: the userdata that scripts see, the browser's callbacks
//! (weakly), and the list of live sockets of the VM, which keeps it until it has closed. What a script can no longer
//! reach and nobody listens to is closed when the collector finds it (`Reachable`).
//!
//! Events of the browser go into the inbox. The inbox is delivered by dispatches of the scheduler, one event each, so
//! that the handlers of one are done before the next, and only while someone listens; nothing is lost before.

mod connection;
mod inbox;
mod options;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use self::connection::Shared;
use self::inbox::Total;
use self::options::{Options, is_websocket_url};
use crate::bind::{Args, Binder, Callee};
use crate::failure::Failure;
use crate::host::socket::{SocketEvent, Transport};
use crate::scheduler::Scheduler;
use crate::task::MILLISECONDS_PER_SECOND;
use crate::text;

/// Makes the sockets: the browser's, what the page gave in its place, or what a test puts there.
///
/// It is called with the URL, the subprotocols, the length in bytes of the longest message, and what takes the events.
type Connector = dyn Fn(&str, &[String], usize, Box<dyn Fn(SocketEvent)>) -> Result<Rc<dyn Transport>, String>;

/// How many connections a script may have, and how much each keeps for a script that does not take it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Connections at a time, those that are being opened too.
    pub connections: usize,
    /// Messages that a connection keeps.
    pub messages: usize,
    /// Bytes, of all these messages together.
    pub bytes: usize,
    /// Bytes that all connections keep together, and as many that wait to be sent.
    pub total_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // Chromium and Firefox allow 255 and 200 at a time, of all pages together.
        Self { connections: 255, messages: 65_536, bytes: 16 * 1024 * 1024, total_bytes: 1 << 30 }
    }
}

/// The sockets of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Sockets(Rc<SocketsInner>);

struct SocketsInner {
    scheduler: Scheduler,
    connector: Box<Connector>,
    limits: Limits,
    total: Total,
    /// Takes what is to be told to who wrote the script.
    warn: Box<dyn Fn(&str)>,
    live: RefCell<BTreeMap<u64, Rc<Shared>>>,
    /// Those to which somebody may have ceased to listen, so that not all are asked after each message.
    deserted: RefCell<BTreeSet<u64>>,
    next_id: Cell<u64>,
    /// Whether the VM is at its end. The thread that runs just then may still want to connect.
    has_ended: Cell<bool>,
}

impl Sockets {
    /// No sockets yet; `connector` is how to make one, and `warn` takes what is to be told to who wrote the script.
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
            deserted: RefCell::default(),
            next_id: Cell::new(0),
            has_ended: Cell::new(false),
        }))
    }

    /// Closes every socket for good: none can be opened any more.
    pub fn end(&self) {
        self.0.has_ended.set(true);
        self.close_all();
    }

    /// Closes every socket, those that are being opened too; their events are never seen.
    pub fn close_all(&self) {
        let live = self.0.live.take();
        for shared in live.into_values() {
            shared.let_go();
        }
    }

    /// How many sockets are not closed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.live.borrow().len()
    }

    /// Whether there is a connection that nobody listens to, and that a script may no longer be able to reach.
    #[must_use]
    pub fn has_unheard(&self) -> bool {
        let (live, mut deserted) = (self.0.live.borrow(), self.0.deserted.borrow_mut());
        deserted.retain(|id| live.get(id).is_some_and(|shared| shared.is_unheard()));
        !deserted.is_empty()
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

    fn make_sure_they_may_send(&self, length: usize) -> Result<(), String> {
        let most = self.0.limits.total_bytes;
        // Taken out first: a socket may be of the page's own making, and its getter may do anything.
        let live: Vec<Rc<Shared>> = self.0.live.borrow().values().cloned().collect();
        let waiting: f64 = live.iter().map(|shared| shared.buffered_amount()).sum();
        #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^32")]
        if waiting > 0.0 && waiting + length as f64 > most as f64 {
            return Err(format!(
                "{waiting} bytes wait to be sent, and {most} may: wait until BufferedAmount is lower, as with task.wait()"
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

    fn enter(&self, shared: &Rc<Shared>) {
        self.0.live.borrow_mut().insert(shared.id, shared.clone());
    }

    fn note_deserted(&self, id: u64) {
        self.0.deserted.borrow_mut().insert(id);
    }

    fn leave(&self, id: u64) {
        let shared = self.0.live.borrow_mut().remove(&id);
        drop(shared);
    }
}

/// A handle that a connection can have without keeping the others alive.
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

/// Adds `websocket` and `WebSocket`, its older name, to the globals of `lua`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, binder: &Binder, sockets: &Sockets) -> LuaResult<()> {
    connection::install(lua, binder)?;

    let sockets = sockets.clone();
    let connect = binder.parking(lua, Callee::Function("connect"), move |lua, args| connect(lua, &sockets, &args))?;
    let websocket = lua.create_table()?;
    websocket.raw_set("connect", connect)?;
    lua.globals().raw_set("websocket", websocket.clone())?;
    lua.globals().raw_set("WebSocket", websocket)
}

fn connect(lua: &Lua, sockets: &Sockets, args: &Args) -> Result<(), Failure> {
    let given = args.string(1)?;
    let url =
        text::lossy(&given, text::URL).map_err(|error| Failure::new(format!("invalid websocket url ({error})")))?;
    if !is_websocket_url(&url) {
        let shown = text::shown(&given);
        return Err(Failure::new(format!("invalid websocket url \"{shown}\" (it must begin with ws:// or wss://)")));
    }
    let options = Options::read(args, 2)?;
    if sockets.0.has_ended.get() {
        return Err(Failure::new("cannot connect: the VM is disposed"));
    }

    let scheduler = &sockets.0.scheduler;
    let id = sockets.0.next_id.replace(sockets.0.next_id.get() + 1);
    let (seconds, protocols) = (options.timeout, options.protocols.clone());
    let shared = Shared::new(id, sockets, url.clone(), options);
    let of_events = Rc::downgrade(&shared);
    let on_event = move |event| {
        if let Some(shared) = of_events.upgrade() {
            shared.on_event(event);
        }
    };
    let most = sockets.0.limits.connections;
    let socket = if sockets.count() < most {
        (sockets.0.connector)(&url, &protocols, sockets.total().most(), Box::new(on_event))
    } else {
        Err(format!("too many connections: the host allows {most} at a time"))
    };

    let given_up = Rc::downgrade(&shared);
    let token = scheduler.park(lua, move || {
        if let Some(shared) = given_up.upgrade() {
            shared.let_go();
            shared.leave();
        }
    });
    match socket {
        Ok(socket) => {
            let of_timer = Rc::downgrade(&shared);
            let timer = scheduler.timer(seconds * MILLISECONDS_PER_SECOND, move || {
                if let Some(shared) = of_timer.upgrade() {
                    shared.timed_out(seconds);
                }
            });
            shared.wait_for_answer(socket, token, timer);
            sockets.enter(&shared);
        }
        Err(reason) => shared.refuse(token, &text::shown_reason(&reason, &url)),
    }
    Ok(())
}
