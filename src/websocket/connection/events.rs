//! Applies a socket's events to its connection.

use std::rc::Rc;

use mlua::prelude::*;

use super::{Closure, QUEUE_FULL, QUEUE_FULL_REASON, Shared, State};
use crate::host::socket::SocketEvent;
use crate::text;
use crate::websocket::inbox::Message;

impl Shared {
    /// Takes note of an event, and sees to it that scripts learn of it.
    pub(in crate::websocket) fn on_event(self: &Rc<Self>, event: SocketEvent) {
        self.scheduler.event(|| match event {
            SocketEvent::Open => self.opened(),
            SocketEvent::Text(data) => self.received(Some(Message { data, is_binary: false })),
            SocketEvent::Binary(data) => self.received(Some(Message { data, is_binary: true })),
            SocketEvent::TooLong => self.received(None),
            SocketEvent::Error(reason) => self.failed(&reason),
            SocketEvent::Close { code, reason, was_clean } => self.closed(Closure { code, reason, was_clean }),
        });
    }

    fn opened(self: &Rc<Self>) {
        let Some((token, timer)) = self.connecting.take() else { return };
        drop(timer);
        if let Some(socket) = self.socket() {
            self.url.replace(socket.url());
            self.protocol.replace(socket.protocol());
        }
        // The standard has the connection fail (Fetch, "establish a WebSocket connection"). Chromium obeys it, Firefox and
        // WebKitGTK open the connection with no subprotocol.
        let is_agreed = self.protocols.is_empty() || self.protocols.contains(&*self.protocol.borrow());
        if !is_agreed {
            self.let_go();
            self.leave();
            let url = text::shown_url(&self.url.borrow());
            self.refuse(token, &format!("could not connect to {url} (the server agreed to no subprotocol)"));
            return;
        }
        self.state.set(State::Open);
        self.note_deserted();
        let shared = self.clone();
        self.answer(token, move |lua| shared.to_userdata(lua)?.into_lua_multi(lua));
    }

    /// A message has come, or one that was too long to be taken over.
    fn received(self: &Rc<Self>, message: Option<Message>) {
        if self.is_cut_off.get() {
            self.inbox.borrow_mut().note_dropped();
            return;
        }
        // No message comes after `Close`: so it is in browsers (WebSockets, section 4), and not in the npm package ws.
        if matches!(self.state.get(), State::Closing | State::Closed) {
            return;
        }
        let is_full = message.as_ref().is_none_or(|message| !self.inbox.borrow().has_room(message));
        let is_awaited = self.on_message.has_consumer() || self.on_message.has_reader();
        let has_dropped_before = self.inbox.borrow().dropped() > 0;
        // Before JS is called, which may tell of more from inside the call.
        let mut inbox = self.inbox.borrow_mut();
        if let Some(message) = message {
            if is_full && !is_awaited {
                inbox.make_room(&message);
            }
            inbox.push(message);
        } else {
            inbox.note_dropped();
        }
        drop(inbox);
        if is_full && is_awaited {
            self.is_cut_off.set(true);
            // The browser takes this code and this reason.
            let _ = self.close(QUEUE_FULL, QUEUE_FULL_REASON);
        } else if is_full && !has_dropped_before {
            self.warn_of_drops();
        }
        self.deliver_soon();
    }

    fn warn_of_drops(&self) {
        if let Some(sockets) = self.sockets.upgrade() {
            let url = text::shown_url(&self.url.borrow());
            sockets.warn(&format!(
                "the oldest messages of {url} are being dropped, since nobody takes them and too many are kept: connect \
                 a handler to OnMessage, or read with Receive"
            ));
        }
    }

    /// The connection has failed; its close follows.
    fn failed(&self, reason: &str) {
        self.failure.replace(text::shown_reason(reason, &self.url.borrow()));
    }

    fn closed(self: &Rc<Self>, mut closure: Closure) {
        self.state.set(State::Closed);
        if !closure.was_clean && closure.reason.is_empty() {
            closure.reason = self.failure.take();
        }
        let socket = self.socket.take();
        drop(socket);
        if let Some((token, timer)) = self.connecting.take() {
            drop(timer);
            self.leave();
            let url = text::shown_url(&self.url.borrow());
            let reason = text::shown_reason(&closure.reason, &self.url.borrow());
            let why = if reason.is_empty() { " (the browser gives no reason)" } else { &format!(": {reason}") };
            self.refuse(token, &format!("could not connect to {url}{why}"));
            return;
        }
        // A socket closes once; a second closure would be the browser's mistake, and changes nothing.
        if self.closure.set(closure).is_ok() {
            self.close_is_due.set(true);
        }
        self.leave();
        self.deliver_soon();
    }
}
