//! The events of a socket: applies them to its connection, and delivers messages and the close event to the listeners.

use std::rc::Rc;

use mlua::prelude::*;

use super::{CloseEvent, ConnectionState, QUEUE_FULL, QUEUE_FULL_REASON, ReadyState};
use crate::error::ScriptError;
use crate::ffi;
use crate::scheduler::EventQueue;
use crate::text;
use crate::websocket::inbox::Message;
use crate::websocket::options::Binary;
use crate::websocket::transport::SocketEvent;

impl ConnectionState {
    /// Returns the handler for the events of the socket, which does not keep the connection alive.
    pub(in crate::websocket) fn event_handler(self: &Rc<Self>) -> impl Fn(SocketEvent) + 'static {
        let connection = Rc::downgrade(self);
        move |event| {
            if let Some(connection) = connection.upgrade() {
                connection.scheduler.notify(|| connection.handle(event));
            }
        }
    }

    /// Applies an event and queues its delivery to scripts.
    fn handle(self: &Rc<Self>, event: SocketEvent) {
        match event {
            SocketEvent::Open => self.opened(),
            SocketEvent::Text(data) => self.received(Some(Message { data, is_binary: false })),
            SocketEvent::Binary(data) => self.received(Some(Message { data, is_binary: true })),
            SocketEvent::TooLong => self.received(None),
            SocketEvent::Error(reason) => self.failed(&reason),
            SocketEvent::Close { code, reason, was_clean } => self.closed(CloseEvent { code, reason, was_clean }),
        }
    }

    fn opened(self: &Rc<Self>) {
        let Some((token, timer)) = self.connecting.take() else { return };
        drop(timer);
        if let Some(socket) = self.socket() {
            self.url.replace(socket.url());
            self.protocol.replace(socket.protocol());
        }
        // The standard requires the connection to fail (Fetch, "establish a WebSocket connection"). Chromium complies; Firefox and
        // WebKitGTK open the connection without a subprotocol.
        let protocols = self.protocols.take();
        let is_agreed = protocols.is_empty() || protocols.contains(&*self.protocol.borrow());
        if !is_agreed {
            self.detach();
            self.unregister();
            let url = text::quoted(&self.url.borrow());
            self.reject(token, &format!("could not connect to {url} (the server accepted none of the subprotocols)"));
            return;
        }
        self.state.set(ReadyState::Open);
        self.note_maybe_abandoned();
        let shared = self.clone();
        self.resolve(token, move |lua| shared.to_userdata(lua)?.into_lua_multi(lua));
    }

    /// Handles a message, or none for one that was too long to be copied.
    fn received(self: &Rc<Self>, message: Option<Message>) {
        if self.has_overflowed.get() {
            self.inbox.borrow_mut().note_dropped();
            return;
        }
        // Browsers deliver no messages after `close` was called (WebSockets, section 4), but the npm package ws does.
        if matches!(self.state.get(), ReadyState::Closing | ReadyState::Closed) {
            return;
        }
        let is_full = message.as_ref().is_none_or(|message| !self.inbox.borrow().has_room(message));
        let is_awaited = self.on_message.has_consumer() || self.on_message.has_reader();
        let has_dropped_before = self.inbox.borrow().dropped() > 0;
        // Done before JS is called, which may report more events during the call.
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
            self.has_overflowed.set(true);
            // The browser accepts this code and this reason.
            let _ = self.close(QUEUE_FULL, QUEUE_FULL_REASON);
        } else if is_full && !has_dropped_before {
            self.warn_of_drops();
        }
        self.deliver_soon();
    }

    fn warn_of_drops(&self) {
        if let Some(sockets) = self.sockets.upgrade() {
            let url = text::quoted(&self.url.borrow());
            sockets.warn(&format!(
                "dropping the oldest messages of {url}, because too many are waiting and nothing reads them: connect a handler \
                to OnMessage, or call Receive"
            ));
        }
    }

    /// Handles the failure of the connection. The close event follows.
    fn failed(&self, reason: &str) {
        self.failure.replace(text::shown_reason(reason, &self.url.borrow()));
    }

    fn closed(self: &Rc<Self>, mut event: CloseEvent) {
        self.state.set(ReadyState::Closed);
        if !event.was_clean && event.reason.is_empty() {
            event.reason = self.failure.take();
        }
        let socket = self.socket.take();
        drop(socket);
        if let Some((token, timer)) = self.connecting.take() {
            drop(timer);
            self.unregister();
            let url = text::quoted(&self.url.borrow());
            let reason = text::shown_reason(&event.reason, &self.url.borrow());
            let why = if reason.is_empty() { " (the browser gives no reason)" } else { &format!(": {reason}") };
            self.reject(token, &format!("could not connect to {url}{why}"));
            return;
        }
        // A socket closes only once. A second close event would be a browser bug, and is ignored.
        if self.close_event.set(event).is_ok() {
            self.close_is_due.set(true);
        }
        self.unregister();
        self.deliver_soon();
    }

    /// Queues the delivery of the next event, if there is one that can be delivered.
    pub(super) fn deliver_soon(self: &Rc<Self>) {
        if self.can_deliver() && !self.is_delivery_queued.replace(true) {
            self.scheduler.deliver(self.clone());
        }
    }

    fn can_deliver(&self) -> bool {
        self.message_can_fire() || self.messages_have_ended() || self.close_can_fire() || self.close_has_fired()
    }

    fn message_can_fire(&self) -> bool {
        self.on_message.has_consumer() && !self.inbox.borrow().is_empty()
    }

    /// Returns true if listeners for messages must be told that no more will come.
    fn messages_have_ended(&self) -> bool {
        self.on_message.has_consumer() && self.inbox.borrow().is_empty() && self.state.get().has_ended()
    }

    /// Returns true if the close event can fire. It waits for a listener, and for earlier messages unless nothing reads those.
    fn close_can_fire(&self) -> bool {
        let is_read = self.on_message.has_reader() && !self.closed_by_script.get();
        let messages_are_wanted = self.on_message.has_consumer() || is_read;
        let comes_first = self.inbox.borrow().is_empty() || !messages_are_wanted;
        self.close_is_due.get() && self.on_close.has_consumer() && comes_first
    }

    /// Returns true if listeners for the close event must be told that it will not fire again.
    fn close_has_fired(&self) -> bool {
        self.close_event.get().is_some() && !self.close_is_due.get() && self.on_close.has_consumer()
    }

    fn fire_close(&self, lua: &Lua) {
        let Some(event) = self.close_event.get() else { return };
        self.close_is_due.set(false);
        match (event.code, event.reason.as_str(), event.was_clean).into_lua_multi(lua) {
            Ok(values) => self.on_close.fire(values),
            Err(error) => self.scheduler.report(ScriptError::from_lua(&error, "")),
        }
    }

    fn to_values(&self, lua: &Lua, message: &Message) -> LuaResult<LuaMultiValue> {
        let data = if message.is_binary && self.binary == Binary::Buffer {
            LuaValue::Buffer(lua.create_buffer(&message.data)?)
        } else {
            ffi::string(lua, &message.data)?
        };
        // A vector, because mlua takes it over, while it has to reallocate the list that it creates for a tuple.
        Ok(LuaMultiValue::from_vec(vec![data, LuaValue::Boolean(message.is_binary)]))
    }
}

impl EventQueue for ConnectionState {
    fn deliver(self: Rc<Self>, lua: &Lua) {
        self.is_delivery_queued.set(false);
        if self.message_can_fire() {
            let message = self.inbox.borrow_mut().pop();
            let values = message.map(|message| self.to_values(lua, &message)).transpose();
            match values {
                Ok(values) => self.on_message.fire(values.unwrap_or_default()),
                Err(error) => self.scheduler.report(ScriptError::from_lua(&error, "")),
            }
        } else if self.messages_have_ended() {
            self.scheduler.run_before_queue(|| self.on_message.end());
        } else if self.close_can_fire() {
            self.fire_close(lua);
        } else if self.close_has_fired() {
            self.scheduler.run_before_queue(|| self.on_close.end());
        }
        // After the fired event, because its handlers may connect and disconnect handlers.
        self.deliver_soon();
    }
}
