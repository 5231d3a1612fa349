//! Messages and the close on their way from the inbox to those who listen.

use std::rc::Rc;

use mlua::prelude::*;

use super::Shared;
use crate::error::ScriptError;
use crate::raw;
use crate::scheduler::Deliver;
use crate::websocket::inbox::Message;
use crate::websocket::options::Binary;

impl Deliver for Shared {
    fn deliver(self: Rc<Self>, lua: &Lua) {
        self.delivering.set(false);
        if self.message_can_fire() {
            let message = self.inbox.borrow_mut().pop();
            let values = message.map(|message| self.to_values(lua, &message)).transpose();
            match values {
                Ok(values) => self.on_message.fire(values.unwrap_or_default()),
                Err(error) => self.scheduler.report(ScriptError::from_lua(&error, "")),
            }
        } else if self.messages_have_ended() {
            self.scheduler.ahead(|| self.on_message.end());
        } else if self.close_can_fire() {
            self.fire_close(lua);
        } else if self.close_has_fired() {
            self.scheduler.ahead(|| self.on_close.end());
        }
        // Behind what was fired: its handlers may connect others and disconnect these.
        self.deliver_soon();
    }
}

impl Shared {
    /// Sees to it that what can be delivered is, in the order in which it came.
    pub(super) fn deliver_soon(self: &Rc<Self>) {
        if self.can_deliver() && !self.delivering.replace(true) {
            self.scheduler.deliver(self.clone());
        }
    }

    fn can_deliver(&self) -> bool {
        self.message_can_fire() || self.messages_have_ended() || self.close_can_fire() || self.close_has_fired()
    }

    fn message_can_fire(&self) -> bool {
        self.on_message.has_consumer() && !self.inbox.borrow().is_empty()
    }

    /// Whether those who listen to messages have to be told that none will come any more.
    fn messages_have_ended(&self) -> bool {
        self.on_message.has_consumer() && self.inbox.borrow().is_empty() && self.state.get().has_ended()
    }

    /// A close waits for someone to listen, and for the messages before it, unless nobody wants those.
    fn close_can_fire(&self) -> bool {
        let is_read = self.on_message.has_reader() && !self.is_given_up.get();
        let someone_wants_messages = self.on_message.has_consumer() || is_read;
        let comes_first = self.inbox.borrow().is_empty() || !someone_wants_messages;
        self.close_is_due.get() && self.on_close.has_consumer() && comes_first
    }

    /// Whether those who listen for the close have to be told that it fires no more.
    fn close_has_fired(&self) -> bool {
        self.closure.get().is_some() && !self.close_is_due.get() && self.on_close.has_consumer()
    }

    fn fire_close(&self, lua: &Lua) {
        let Some(closure) = self.closure.get() else { return };
        self.close_is_due.set(false);
        match (closure.code, closure.reason.as_str(), closure.was_clean).into_lua_multi(lua) {
            Ok(values) => self.on_close.fire(values),
            Err(error) => self.scheduler.report(ScriptError::from_lua(&error, "")),
        }
    }

    fn to_values(&self, lua: &Lua, message: &Message) -> LuaResult<LuaMultiValue> {
        let data = if message.is_binary && self.binary == Binary::Buffer {
            LuaValue::Buffer(lua.create_buffer(&message.data)?)
        } else {
            raw::string(lua, &message.data)?
        };
        // As a vector, which mlua takes over: of a tuple it makes a list that it has to make anew for the second value.
        Ok(LuaMultiValue::from_vec(vec![data, LuaValue::Boolean(message.is_binary)]))
    }
}
