//! Sockets whose other end is the fuzzer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use arbitrary::{Result, Unstructured};
use luau_runtime::scheduler::Scheduler;
use luau_runtime::websocket::{Limits, Sockets};
use luau_runtime::websocket::{SocketEvent, Transport};

/// Low limits, so that they are reached.
const LIMITS: Limits = Limits { connections: 4, messages: 5, bytes: 64, total_bytes: 128 };

pub(super) struct Network {
    pub(super) sockets: Sockets,
    ends: Rc<RefCell<Vec<End>>>,
    /// The number of sockets that have not been dropped.
    alive: Rc<Cell<usize>>,
}

/// The end of a socket that scripts do not see.
struct End {
    on_event: Rc<dyn Fn(SocketEvent)>,
    state: Rc<Cell<State>>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Connecting,
    Open,
    /// It has reported its end, or was dropped.
    Over,
}

/// The end of a socket that scripts hold.
struct Socket {
    protocol: String,
    state: Rc<Cell<State>>,
    alive: Rc<Cell<usize>>,
}

impl Network {
    pub(super) fn new(scheduler: &Scheduler) -> Self {
        let ends: Rc<RefCell<Vec<End>>> = Rc::default();
        let alive: Rc<Cell<usize>> = Rc::default();
        let (of_ends, of_alive) = (ends.clone(), alive.clone());
        let connect = move |url: &str, protocols: &[String], _, on_event: Box<dyn Fn(SocketEvent)>| {
            if url.contains("refused") {
                return Err("the page refuses it".to_owned());
            }
            // Some servers agree to a subprotocol, and some do not.
            let protocol = protocols.first().filter(|_| url.len().is_multiple_of(2)).cloned().unwrap_or_default();
            let state = Rc::new(Cell::new(State::Connecting));
            of_ends.borrow_mut().push(End { on_event: on_event.into(), state: state.clone() });
            of_alive.set(of_alive.get() + 1);
            Ok(Rc::new(Socket { protocol, state, alive: of_alive.clone() }) as Rc<dyn Transport>)
        };
        let sockets = Sockets::new(scheduler, LIMITS, |_| {}, connect);
        Self { sockets, ends, alive }
    }

    /// Lets every server accept its connections.
    pub(super) fn open_all(&self) {
        for end in &*self.ends.borrow() {
            end.state.set(State::Open);
            (end.on_event)(SocketEvent::Open);
        }
    }

    /// Makes something happen on one of the sockets, if its state allows.
    pub(super) fn happen(&self, bytes: &mut Unstructured) -> Result<()> {
        let (on_event, state) = {
            let mut ends = self.ends.borrow_mut();
            ends.retain(|end| end.state.get() != State::Over);
            if ends.is_empty() {
                return Ok(());
            }
            let end = bytes.choose(&ends)?;
            (end.on_event.clone(), end.state.clone())
        };
        let kind = bytes.int_in_range(0..=9u8)?;
        // The handshake comes first, unless it fails.
        if state.get() == State::Connecting && kind != 9 {
            state.set(State::Open);
            on_event(SocketEvent::Open);
            return Ok(());
        }
        match kind {
            0..=5 => {
                let data = bytes.arbitrary::<String>()?.into_bytes();
                for _ in 0..bytes.int_in_range(1..=4)? {
                    on_event(SocketEvent::Text(data.clone()));
                }
            }
            6..=8 => on_event(SocketEvent::Binary(bytes.arbitrary()?)),
            _ => {
                state.set(State::Over);
                let (code, was_clean) = bytes.arbitrary()?;
                on_event(SocketEvent::Close { code, reason: "over".to_owned(), was_clean });
            }
        }
        Ok(())
    }

    /// Checks that every socket was dropped.
    pub(super) fn check_end(&self) {
        assert_eq!(self.alive.get(), 0, "a socket is still held");
    }
}

impl Transport for Socket {
    fn send_text(&self, _: &str) -> std::result::Result<(), String> {
        Ok(())
    }

    fn send_binary(&self, data: &[u8]) -> std::result::Result<(), String> {
        if data.len() > 100 { Err("too long".to_owned()) } else { Ok(()) }
    }

    fn close(&self, _: u16, reason: &str) -> std::result::Result<(), String> {
        if reason.contains("bad") { Err("bad reason".to_owned()) } else { Ok(()) }
    }

    fn url(&self) -> String {
        "ws://resolved/".to_owned()
    }

    fn protocol(&self) -> String {
        self.protocol.clone()
    }

    fn buffered_amount(&self) -> f64 {
        0.0
    }

    fn is_closing(&self) -> bool {
        self.state.get() == State::Over
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // No event follows, as the real transport promises.
        self.state.set(State::Over);
        self.alive.set(self.alive.get() - 1);
    }
}
