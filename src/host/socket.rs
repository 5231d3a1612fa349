//! Sockets of the page.

use std::fmt;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Function, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::values::message_of;

#[wasm_bindgen]
extern "C" {
    /// A function of JS's own that may be called with anything and changes nothing.
    #[wasm_bindgen(thread_local_v2, js_name = Boolean)]
    static BOOLEAN: Function;
}

/// What a socket has to say.
#[derive(Debug)]
pub enum SocketEvent {
    /// The handshake is done.
    Open,
    /// A text frame, as UTF-8.
    Text(Vec<u8>),
    /// A binary frame.
    Binary(Vec<u8>),
    /// It is over. No event follows.
    Close {
        /// The close code, by section 7.4 of RFC 6455.
        code: u16,
        /// The close reason.
        reason: String,
        /// Whether the closing handshake was completed.
        was_clean: bool,
    },
}

/// A `WebSocket` of the page, with our handlers attached since it was made.
///
/// Dropping it detaches the handlers and closes the socket.
#[must_use = "a socket that is dropped is closed"]
pub struct Socket {
    inner: WebSocket,
    // Kept for their drop alone, which must come after that of the attachment.
    _on_open: Closure<dyn Fn()>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_close: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    /// Begins to connect, by `constructor` or the global `WebSocket`. Events come later, never from inside this call.
    ///
    /// # Errors
    /// What the constructor throws, in its own words: a URL or a subprotocol that the browser refuses. Also where there
    /// is no `WebSocket` at all.
    pub fn connect(
        constructor: Option<&Function>,
        url: &str,
        protocols: &[String],
        on_event: impl Fn(SocketEvent) + 'static,
    ) -> Result<Self, String> {
        let constructor = match constructor {
            Some(constructor) => constructor.clone(),
            None => global_web_socket()?,
        };
        let arguments = Array::of1(&url.into());
        if !protocols.is_empty() {
            arguments.push(&protocols.iter().map(JsValue::from).collect::<Array>());
        }
        let socket: WebSocket =
            Reflect::construct(&constructor, &arguments).map_err(|error| message_of(&error))?.unchecked_into();
        socket.set_binary_type(BinaryType::Arraybuffer);

        let on_event = Rc::new(on_event);
        let tell = on_event.clone();
        let on_open = Closure::<dyn Fn()>::new(move || tell(SocketEvent::Open));
        let tell = on_event.clone();
        let on_message =
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| tell(message_event(&event.data())));
        let on_close = Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| {
            on_event(SocketEvent::Close { code: event.code(), reason: event.reason(), was_clean: event.was_clean() });
        });
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        // A `close` event follows every `error`, which tells nothing by itself. But the socket of the npm package ws
        // ends the process when nobody handles an error, also one that comes after we have let go of the socket.
        BOOLEAN.with(|ignore| socket.set_onerror(Some(ignore)));
        Ok(Self { inner: socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a text frame.
    ///
    /// # Errors
    /// In the words of the browser; not on a socket that was opened.
    pub fn send_text(&self, text: &str) -> Result<(), String> {
        self.inner.send_with_str(text).map_err(|error| message_of(&error))
    }

    /// Sends a binary frame.
    ///
    /// # Errors
    /// In the words of the browser; not on a socket that was opened.
    pub fn send_binary(&self, data: &[u8]) -> Result<(), String> {
        // A copy: the browser may read the bytes after the wasm memory has moved on.
        let copy = Uint8Array::from(data);
        self.inner.send_with_array_buffer(&copy.buffer()).map_err(|error| message_of(&error))
    }

    /// Begins the closing handshake.
    ///
    /// # Errors
    /// In the words of the browser: a code or a reason that the standard does not allow.
    pub fn close(&self, code: u16, reason: &str) -> Result<(), String> {
        self.inner.close_with_code_and_reason(code, reason).map_err(|error| message_of(&error))
    }

    /// The URL as the browser resolved it.
    #[must_use]
    pub fn url(&self) -> String {
        self.inner.url()
    }

    /// The subprotocol that the server chose, or an empty string.
    #[must_use]
    pub fn protocol(&self) -> String {
        self.inner.protocol()
    }

    /// The bytes that were sent and have not left yet.
    #[must_use]
    pub fn buffered_amount(&self) -> u32 {
        self.inner.buffered_amount()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        // Without a code it is always allowed, and it does nothing on a socket that is closed.
        let _ = self.inner.close();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("url", &self.url()).finish_non_exhaustive()
    }
}

fn message_event(data: &JsValue) -> SocketEvent {
    match data.as_string() {
        Some(text) => SocketEvent::Text(text.into_bytes()),
        // Always so, with the binary type set above.
        None => SocketEvent::Binary(Uint8Array::new(data.unchecked_ref::<ArrayBuffer>()).to_vec()),
    }
}

fn global_web_socket() -> Result<Function, String> {
    Reflect::get(&js_sys::global(), &"WebSocket".into())
        .ok()
        .and_then(|value| value.dyn_into().ok())
        .ok_or_else(|| "there is no WebSocket here; give one, such as that of the npm package ws".to_owned())
}
