//! A connection, from the attempt to connect until nothing holds it.

mod events;
mod members;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use mlua::prelude::*;

pub(super) use self::members::install;
use super::inbox::Inbox;
use super::options::{Binary, Options};
use super::{Sockets, WeakSockets};
use crate::ffi::{self, Charge};
use crate::scheduler::{ResumeToken, Scheduler, Timer};
use crate::signal::{Signal, SignalUserData, Source};
use crate::websocket::transport::Transport;

/// The close code of a connection that fulfilled its purpose (RFC 6455, section 7.4.1).
const NORMAL_CLOSURE: u16 = 1000;
/// The close codes that applications may use (RFC 6455, section 7.4.2).
const APPLICATION_CODES: std::ops::RangeInclusive<u16> = 3000..=4999;
/// The close code if a script does not read its messages.
const QUEUE_FULL: u16 = 4008;
/// The close reason if a script does not read its messages.
const QUEUE_FULL_REASON: &str = "receive queue full";
/// The maximum length of the close reason, in bytes: a control frame has no room for more after the code (RFC 6455, section 5.5).
const MAX_REASON_BYTES: usize = 123;

/// The number of bytes to send between two checks of the send buffers. Querying a hundred sockets takes longer than sending.
const CHECK_INTERVAL_BYTES: usize = 1 << 20;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadyState {
    /// The handshake is in progress, and a thread waits for it.
    Connecting,
    /// Messages can be sent and received.
    Open,
    /// One side has begun to close the connection, or it has failed. The close event is still to come.
    Closing,
    /// The connection is closed. The inbox may still hold earlier messages.
    Closed,
}

impl ReadyState {
    /// Returns the name that scripts see.
    fn name(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Open => "Open",
            Self::Closing => "Closing",
            Self::Closed => "Closed",
        }
    }

    fn is_open(self) -> bool {
        self == Self::Open
    }

    fn has_ended(self) -> bool {
        self == Self::Closed
    }
}

/// The close event of a connection.
#[derive(Clone, Debug)]
struct CloseEvent {
    code: u16,
    reason: String,
    was_clean: bool,
}

/// The state of a connection, shared by all its holders.
pub(super) struct ConnectionState {
    pub(super) id: u64,
    sockets: WeakSockets,
    scheduler: Scheduler,
    binary: Binary,
    /// The subprotocols that the script requested, until the server has chosen one.
    protocols: RefCell<Vec<String>>,
    state: Cell<ReadyState>,
    /// None once the socket has closed or was detached.
    socket: RefCell<Option<Rc<dyn Transport>>>,
    /// The thread that waits in `connect`, and its timeout.
    connecting: RefCell<Option<(ResumeToken, Timer)>>,
    url: RefCell<String>,
    protocol: RefCell<String>,
    inbox: RefCell<Inbox>,
    /// True if anything has ever listened for messages.
    had_listener: Cell<bool>,
    /// True if the connection was closed because its script was too slow.
    has_overflowed: Cell<bool>,
    /// True if the script itself closed the connection, and so will not read any more messages.
    closed_by_script: Cell<bool>,
    /// The host's reason for a failure, if the host gave one.
    failure: RefCell<String>,
    /// The close event, once it has arrived.
    close_event: OnceCell<CloseEvent>,
    /// True if `OnClose` must still fire.
    close_is_due: Cell<bool>,
    /// True if a job that delivers the next event is in the queue.
    is_delivery_queued: Cell<bool>,
    /// True if a job that looks for something to deliver is at the end of the cycle.
    is_check_queued: Cell<bool>,
    /// The number of bytes sent since the last check of the send buffers.
    unchecked_bytes: Cell<usize>,
    on_message: Signal,
    on_close: Signal,
    /// Alive while scripts can reach the connection.
    guard: RefCell<Weak<ConnectionGuard>>,
    /// Counts this connection as memory of the script, which can keep any number of closed ones.
    charge: RefCell<Option<Charge>>,
}

/// A guard that is dropped when scripts can no longer reach the connection or its signals.
struct ConnectionGuard(Rc<ConnectionState>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        // Not closed here: the collector is running, and closing calls into JS, which may call into Luau.
        let shared = Rc::downgrade(&self.0);
        self.0.scheduler.dispatch_deferred(move |_| {
            if let Some(shared) = shared.upgrade() {
                shared.close_if_abandoned();
            }
        });
    }
}

/// A connection as a value for scripts.
struct Connection {
    shared: Rc<ConnectionState>,
    _guard: Rc<ConnectionGuard>,
}

type ConnectionSignal = SignalUserData<Rc<ConnectionGuard>>;

/// The name of the type in Luau, as `typeof` returns it.
const CONNECTION: &str = "WebSocketConnection";

// The user values that hold the signals of the userdata, so that each signal is always the same object.
const ON_MESSAGE: usize = 1;
const ON_CLOSE: usize = 2;

impl ConnectionState {
    pub(super) fn new(id: u64, sockets: &Sockets, url: String, options: Options) -> Rc<Self> {
        let scheduler = sockets.scheduler();
        let shared = Rc::new(Self {
            id,
            sockets: sockets.downgrade(),
            scheduler: scheduler.clone(),
            binary: options.binary,
            protocols: RefCell::new(options.protocols),
            state: Cell::new(ReadyState::Connecting),
            socket: RefCell::new(None),
            connecting: RefCell::new(None),
            url: RefCell::new(url),
            protocol: RefCell::default(),
            inbox: RefCell::new(Inbox::new(sockets.limits(), sockets.total().clone())),
            had_listener: Cell::new(false),
            has_overflowed: Cell::new(false),
            closed_by_script: Cell::new(false),
            failure: RefCell::default(),
            close_event: OnceCell::new(),
            close_is_due: Cell::new(false),
            is_delivery_queued: Cell::new(false),
            is_check_queued: Cell::new(false),
            unchecked_bytes: Cell::new(0),
            on_message: Signal::new(scheduler),
            on_close: Signal::new(scheduler),
            guard: RefCell::default(),
            charge: RefCell::default(),
        });
        let as_source: Rc<dyn Source> = shared.clone();
        shared.on_message.set_source(Rc::downgrade(&as_source));
        shared.on_close.set_source(Rc::downgrade(&as_source));
        shared
    }

    /// Stores the socket that is being opened, the token of the waiting thread, and the timeout.
    pub(super) fn set_connecting(&self, socket: Rc<dyn Transport>, token: ResumeToken, timer: Timer) {
        self.socket.replace(Some(socket));
        self.connecting.replace(Some((token, timer)));
    }

    /// Makes `connect` return nil and a reason.
    pub(super) fn reject(&self, token: ResumeToken, reason: &str) {
        let reason = reason.to_owned();
        self.resolve(token, move |lua| (LuaNil, reason).into_lua_multi(lua));
    }

    /// Makes `connect` return these values. A job creates them, because that needs the VM.
    fn resolve(&self, token: ResumeToken, values: impl FnOnce(&Lua) -> LuaResult<LuaMultiValue> + 'static) {
        let scheduler = self.scheduler.clone();
        self.scheduler.dispatch(move |lua| {
            scheduler.run_before_queue(|| match values(lua) {
                Ok(values) => scheduler.wake(token, values),
                Err(error) => scheduler.fail(token, error.into()),
            });
        });
    }

    pub(super) fn connect_timed_out(&self, seconds: f64) {
        let Some((token, _)) = self.connecting.take() else { return };
        self.detach();
        self.unregister();
        self.reject(token, &format!("timed out after {seconds} s"));
    }

    /// Closes the socket without waiting. Its events are discarded.
    pub(super) fn detach(&self) {
        self.state.set(ReadyState::Closed);
        let connecting = self.connecting.take();
        let socket = self.socket.take();
        drop((connecting, socket));
        self.on_message.end();
        self.on_close.end();
    }

    /// Removes the connection from the live connections.
    pub(super) fn unregister(&self) {
        if let Some(sockets) = self.sockets.upgrade() {
            sockets.remove(self.id);
        }
    }

    /// Returns the state of the connection. The socket is the first to know that the server closes it or that it has failed.
    fn state(&self) -> ReadyState {
        match self.state.get() {
            ReadyState::Open if self.socket().is_some_and(|socket| socket.is_closing()) => ReadyState::Closing,
            state => state,
        }
    }

    fn close(&self, code: u16, reason: &str) -> Result<(), String> {
        if !self.state.get().is_open() {
            return Ok(());
        }
        // Set before the call, because a socket provided by the host may report its end during the call.
        self.state.set(ReadyState::Closing);
        let closed = self.socket().map_or(Ok(()), |socket| socket.close(code, reason));
        if closed.is_err() {
            self.state.set(ReadyState::Open);
            self.note_maybe_abandoned();
        }
        closed
    }

    /// Closes the connection if scripts cannot reach it and nothing listens.
    fn close_if_abandoned(&self) {
        let is_reachable = self.guard.borrow().strong_count() > 0;
        if !is_reachable && self.is_open_without_listener() {
            // The browser accepts this code.
            let _ = self.close(NORMAL_CLOSURE, "");
        }
    }

    /// Requests a check for listeners once all threads wait.
    fn note_maybe_abandoned(&self) {
        if let Some(sockets) = self.sockets.upgrade() {
            sockets.note_maybe_abandoned(self.id);
        }
    }

    /// Returns true if the connection is open and nothing listens.
    pub(super) fn is_open_without_listener(&self) -> bool {
        self.state.get().is_open() && !self.on_message.has_consumer() && !self.on_close.has_consumer()
    }

    /// Checks that `length` more bytes may wait to be sent. The browser accepts any number, until the page runs out of memory.
    fn check_send_buffer(&self, length: usize) -> Result<(), String> {
        ffi::note_read(length);
        let unchecked = self.unchecked_bytes.get().saturating_add(length);
        if unchecked >= CHECK_INTERVAL_BYTES
            && let Some(sockets) = self.sockets.upgrade()
        {
            sockets.check_send_buffer(length)?;
            self.unchecked_bytes.set(0);
        } else {
            self.unchecked_bytes.set(unchecked);
        }
        Ok(())
    }

    /// Returns the number of bytes that wait to be sent.
    pub(super) fn buffered_amount(&self) -> f64 {
        self.socket().map_or(0.0, |socket| socket.buffered_amount())
    }

    /// Returns a cloned handle, so that no borrow is held during calls.
    fn socket(&self) -> Option<Rc<dyn Transport>> {
        self.socket.borrow().clone()
    }

    fn to_userdata(self: &Rc<Self>, lua: &Lua) -> LuaResult<LuaAnyUserData> {
        let bytes = size_of::<Self>() + self.url.borrow().len() + self.protocol.borrow().len();
        self.charge.replace(Charge::new(lua, bytes)?);
        let guard = Rc::new(ConnectionGuard(self.clone()));
        self.guard.replace(Rc::downgrade(&guard));
        let on_message: ConnectionSignal = SignalUserData { signal: self.on_message.clone(), owner: guard.clone() };
        let on_close: ConnectionSignal = SignalUserData { signal: self.on_close.clone(), owner: guard.clone() };
        let connection = Connection { shared: self.clone(), _guard: guard };
        let connection = lua.create_any_userdata(connection)?;
        connection.set_nth_user_value(ON_MESSAGE, lua.create_any_userdata(on_message)?)?;
        connection.set_nth_user_value(ON_CLOSE, lua.create_any_userdata(on_close)?)?;
        Ok(connection)
    }
}

impl Source for ConnectionState {
    fn on_consumer_added(self: Rc<Self>) {
        // Only for the first listener; reconnecting grants no new backlog.
        if self.on_message.has_consumer() && !self.had_listener.replace(true) {
            self.inbox.borrow_mut().begin_reading();
        }
        // At the end of the cycle, so that the script that connects a handler can continue first. Once per cycle, because a script may
        // connect and disconnect any number of handlers.
        if !self.is_check_queued.replace(true) {
            let scheduler = self.scheduler.clone();
            scheduler.dispatch_deferred(move |_| {
                self.is_check_queued.set(false);
                self.deliver_soon();
            });
        }
    }

    fn on_last_removed(self: Rc<Self>) {
        self.note_maybe_abandoned();
        self.close_if_abandoned();
    }
}
