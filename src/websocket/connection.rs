//! A connection, from the first try to connect until nobody has it any more.

mod delivery;
mod events;
mod members;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use mlua::prelude::*;

pub(super) use self::members::install;
use super::inbox::Inbox;
use super::options::{Binary, Options};
use super::{Sockets, WeakSockets};
use crate::host::socket::Transport;
use crate::raw;
use crate::scheduler::{Scheduler, Timer, Token};
use crate::signal::{Signal, SignalUserData, Source};

/// The close code of a closure that did what it was for (RFC 6455, section 7.4.1).
const NORMAL_CLOSURE: u16 = 1000;
/// The close codes that are an application's own (RFC 6455, section 7.4.2).
const APPLICATION_CODES: std::ops::RangeInclusive<u16> = 3000..=4999;
/// The close code for a script that does not take its messages, and the reason with it.
const QUEUE_FULL: u16 = 4008;
const QUEUE_FULL_REASON: &str = "receive queue full";
/// What fits into a control frame beside the code, in bytes (RFC 6455, section 5.5).
const LONGEST_REASON: usize = 123;

/// So many bytes are sent before it is asked again how many wait: asking a hundred sockets takes longer than sending.
const ASK_EVERY: usize = 1 << 20;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The handshake is under way, and a thread waits for it.
    Connecting,
    /// Messages go both ways.
    Open,
    /// One side has begun to close it, or it has failed; its end is still to come.
    Closing,
    /// It is over. The inbox may still hold what came before.
    Closed,
}

impl State {
    /// What a script sees.
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

/// How a connection ended.
#[derive(Clone, Debug)]
struct Closure {
    code: u16,
    reason: String,
    was_clean: bool,
}

/// A connection, whoever holds it.
pub(super) struct Shared {
    pub(super) id: u64,
    sockets: WeakSockets,
    scheduler: Scheduler,
    binary: Binary,
    /// The subprotocols that the script asked for.
    protocols: Vec<String>,
    state: Cell<State>,
    /// None once it has closed or was given up.
    socket: RefCell<Option<Rc<dyn Transport>>>,
    /// The thread that waits in `connect`, and its time-out.
    connecting: RefCell<Option<(Token, Timer)>>,
    url: RefCell<String>,
    protocol: RefCell<String>,
    inbox: RefCell<Inbox>,
    /// Whether anybody has ever listened to its messages.
    has_been_heard: Cell<bool>,
    /// Whether it was closed because its script was too slow.
    is_cut_off: Cell<bool>,
    /// Whether the script itself closed it: who does that reads no more.
    is_given_up: Cell<bool>,
    /// The host's reason for its failure, if the host gave one.
    failure: RefCell<String>,
    /// How it ended, once it has.
    closure: OnceCell<Closure>,
    /// Whether `OnClose` is still to fire.
    close_is_due: Cell<bool>,
    /// Whether a dispatch that delivers from the inbox stands in the queue.
    delivering: Cell<bool>,
    /// The bytes that were sent since it was last asked whether more may be.
    sent_unasked: Cell<usize>,
    on_message: Signal,
    on_close: Signal,
    /// Whether a script can still get at it.
    reachable: RefCell<Weak<Reachable>>,
}

/// Dropped when no script can reach the connection or its signals any more.
struct Reachable(Rc<Shared>);

impl Drop for Reachable {
    fn drop(&mut self) {
        // The collector is at work just now, and closing calls into JS, which may call into Luau: not from here.
        let shared = Rc::downgrade(&self.0);
        self.0.scheduler.dispatch_deferred(move |_| {
            if let Some(shared) = shared.upgrade() {
                shared.close_if_abandoned();
            }
        });
    }
}

/// What a script holds.
struct Connection {
    shared: Rc<Shared>,
    _reachable: Rc<Reachable>,
}

type ConnectionSignal = SignalUserData<Rc<Reachable>>;

/// The name of the type in Luau, as `typeof` gives it.
const CONNECTION: &str = "WebSocketConnection";

/// The user values of the userdata in which its signals stand, so that each is always the same object.
const ON_MESSAGE: usize = 1;
const ON_CLOSE: usize = 2;

impl Shared {
    pub(super) fn new(id: u64, sockets: &Sockets, url: String, options: Options) -> Rc<Self> {
        let scheduler = sockets.scheduler();
        let shared = Rc::new(Self {
            id,
            sockets: sockets.downgrade(),
            scheduler: scheduler.clone(),
            binary: options.binary,
            protocols: options.protocols,
            state: Cell::new(State::Connecting),
            socket: RefCell::new(None),
            connecting: RefCell::new(None),
            url: RefCell::new(url),
            protocol: RefCell::default(),
            inbox: RefCell::new(Inbox::new(sockets.limits(), sockets.total().clone())),
            has_been_heard: Cell::new(false),
            is_cut_off: Cell::new(false),
            is_given_up: Cell::new(false),
            failure: RefCell::default(),
            closure: OnceCell::new(),
            close_is_due: Cell::new(false),
            delivering: Cell::new(false),
            sent_unasked: Cell::new(0),
            on_message: Signal::new(scheduler),
            on_close: Signal::new(scheduler),
            reachable: RefCell::default(),
        });
        let as_source: Rc<dyn Source> = shared.clone();
        shared.on_message.set_source(Rc::downgrade(&as_source));
        shared.on_close.set_source(Rc::downgrade(&as_source));
        shared
    }

    /// Notes the socket that is being opened, and what is to be done when it answers or does not.
    pub(super) fn wait_for_answer(&self, socket: Rc<dyn Transport>, token: Token, timer: Timer) {
        self.socket.replace(Some(socket));
        self.connecting.replace(Some((token, timer)));
    }

    /// Ends `connect` with nil and a reason.
    pub(super) fn refuse(&self, token: Token, reason: &str) {
        let reason = reason.to_owned();
        self.answer(token, move |lua| (LuaNil, reason).into_lua_multi(lua));
    }

    /// Wakes the thread that waits in `connect`, with values that are made when the VM is at hand: in the dispatch.
    fn answer(&self, token: Token, values: impl FnOnce(&Lua) -> LuaResult<LuaMultiValue> + 'static) {
        let scheduler = self.scheduler.clone();
        self.scheduler.dispatch(move |lua| {
            scheduler.ahead(|| match values(lua) {
                Ok(values) => scheduler.wake(token, values),
                Err(error) => scheduler.fail(token, error.into()),
            });
        });
    }

    pub(super) fn timed_out(&self, seconds: f64) {
        let Some((token, _)) = self.connecting.take() else { return };
        self.let_go();
        self.leave();
        self.refuse(token, &format!("timed out after {seconds} s"));
    }

    /// Closes the socket without waiting for anything: none of its events is seen.
    pub(super) fn let_go(&self) {
        self.state.set(State::Closed);
        let connecting = self.connecting.take();
        let socket = self.socket.take();
        drop((connecting, socket));
        self.on_message.end();
        self.on_close.end();
    }

    pub(super) fn leave(&self) {
        if let Some(sockets) = self.sockets.upgrade() {
            sockets.leave(self.id);
        }
    }

    /// How far it has come. The socket knows first when the server closes it or when it fails.
    fn state(&self) -> State {
        match self.state.get() {
            State::Open if self.socket().is_some_and(|socket| socket.is_closing()) => State::Closing,
            state => state,
        }
    }

    fn close(&self, code: u16, reason: &str) -> Result<(), String> {
        if !self.state.get().is_open() {
            return Ok(());
        }
        // Before the call: a socket that the page made may tell of its end from inside it.
        self.state.set(State::Closing);
        let closed = self.socket().map_or(Ok(()), |socket| socket.close(code, reason));
        if closed.is_err() {
            self.state.set(State::Open);
            self.note_deserted();
        }
        closed
    }

    /// Closes the connection when no script can reach it and nobody listens.
    fn close_if_abandoned(&self) {
        let is_reachable = self.reachable.borrow().strong_count() > 0;
        if !is_reachable && self.is_unheard() {
            // The browser takes this code.
            let _ = self.close(NORMAL_CLOSURE, "");
        }
    }

    /// Has it asked whether anybody listens, when all threads wait.
    fn note_deserted(&self) {
        if let Some(sockets) = self.sockets.upgrade() {
            sockets.note_deserted(self.id);
        }
    }

    /// Whether it is open and nobody listens.
    pub(super) fn is_unheard(&self) -> bool {
        self.state.get().is_open() && !self.on_message.has_consumer() && !self.on_close.has_consumer()
    }

    /// That so many bytes more may wait to be sent. The browser takes any number of them, until the page has no memory left.
    fn make_sure_it_may_send(&self, length: usize) -> Result<(), String> {
        raw::note_read(length);
        let since = self.sent_unasked.get().saturating_add(length);
        if since >= ASK_EVERY
            && let Some(sockets) = self.sockets.upgrade()
        {
            sockets.make_sure_they_may_send(length)?;
            self.sent_unasked.set(0);
        } else {
            self.sent_unasked.set(since);
        }
        Ok(())
    }

    /// How many bytes wait to be sent.
    pub(super) fn buffered_amount(&self) -> f64 {
        self.socket().map_or(0.0, |socket| socket.buffered_amount())
    }

    /// A handle of its own, so that no borrow spans what is called on it.
    fn socket(&self) -> Option<Rc<dyn Transport>> {
        self.socket.borrow().clone()
    }

    fn to_userdata(self: &Rc<Self>, lua: &Lua) -> LuaResult<LuaAnyUserData> {
        let reachable = Rc::new(Reachable(self.clone()));
        self.reachable.replace(Rc::downgrade(&reachable));
        let on_message: ConnectionSignal = SignalUserData { signal: self.on_message.clone(), owner: reachable.clone() };
        let on_close: ConnectionSignal = SignalUserData { signal: self.on_close.clone(), owner: reachable.clone() };
        let connection = Connection { shared: self.clone(), _reachable: reachable };
        let connection = lua.create_any_userdata(connection)?;
        connection.set_nth_user_value(ON_MESSAGE, lua.create_any_userdata(on_message)?)?;
        connection.set_nth_user_value(ON_CLOSE, lua.create_any_userdata(on_close)?)?;
        Ok(connection)
    }
}

impl Source for Shared {
    fn listened(self: Rc<Self>) {
        // Once: who goes and comes again has had its chance.
        if self.on_message.has_consumer() && !self.has_been_heard.replace(true) {
            self.inbox.borrow_mut().begin_reading();
        }
        // At the end of the cycle: the script that connects a handler first goes on with what it is doing.
        let scheduler = self.scheduler.clone();
        scheduler.dispatch_deferred(move |_| self.deliver_soon());
    }

    fn deserted(self: Rc<Self>) {
        self.note_deserted();
        self.close_if_abandoned();
    }
}
