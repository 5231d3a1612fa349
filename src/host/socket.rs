//! Sockets of the page.

use std::fmt;
use std::rc::Rc;

use js_sys::{Array, Function, JsString, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use super::values::{self, message_of};

#[wasm_bindgen]
extern "C" {
    /// A function of JS's own that may be called with anything and changes nothing.
    #[wasm_bindgen(thread_local_v2, js_name = Boolean)]
    static BOOLEAN: Function;

    /// What a socket gives its `onmessage`. It may be of the page's own making, and then anything.
    type Event;

    /// In JS this is `event.data`, for which no string has to be made, as for `Reflect.get`.
    #[wasm_bindgen(method, getter, structural, catch)]
    fn data(this: &Event) -> Result<JsValue, JsValue>;

    /// A socket of any class, of which this looks at one member only. Read for each message that is sent.
    type AnySocket;

    #[wasm_bindgen(method, getter, structural, catch, js_name = readyState)]
    fn ready_state(this: &AnySocket) -> Result<JsValue, JsValue>;
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
    /// A frame of either kind that is longer than was asked for. It stayed where it was.
    TooLong,
    /// The connection failed, and the text says why; it is empty in browsers, which give no reason. A close follows.
    Error(String),
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

/// What a connection needs of its socket. Dropping it ends the connection, and no event comes any more.
pub trait Transport {
    /// Sends a text frame.
    ///
    /// # Errors
    /// In the words of the browser; not on a socket that was opened.
    fn send_text(&self, text: &str) -> Result<(), String>;
    /// Sends a binary frame.
    ///
    /// # Errors
    /// In the words of the browser; not on a socket that was opened.
    fn send_binary(&self, data: &[u8]) -> Result<(), String>;
    /// Begins the closing handshake.
    ///
    /// # Errors
    /// In the words of the browser: a code or a reason that the standard does not allow.
    fn close(&self, code: u16, reason: &str) -> Result<(), String>;
    /// The URL as the browser resolved it.
    fn url(&self) -> String;
    /// The subprotocol that the server chose, or an empty string.
    fn protocol(&self) -> String;
    /// The bytes that were sent and have not left yet.
    fn buffered_amount(&self) -> f64;
    /// Returns true once either side has begun to close the connection, or it has failed.
    fn is_closing(&self) -> bool;
}

/// A `WebSocket` of the page, with our handlers attached since it was made.
///
/// Dropping it detaches the handlers and closes the socket.
#[must_use = "a socket that is dropped is closed"]
pub struct Socket {
    inner: WebSocket,
    on_open: Closure<dyn Fn()>,
    on_message: Closure<dyn Fn(JsValue)>,
    on_error: Closure<dyn Fn(JsValue)>,
    on_close: Closure<dyn Fn(JsValue)>,
}

impl Socket {
    /// Begins to connect, by `constructor` or the global `WebSocket`. Events come later, never from inside this call. Messages of
    /// more than `longest` bytes are not taken over into the memory of this module.
    ///
    /// # Errors
    /// What the constructor throws, in its own words: a URL or a subprotocol that the browser refuses. Also where there
    /// is no `WebSocket` at all.
    pub fn connect(
        constructor: Option<&Function>,
        url: &str,
        protocols: &[String],
        longest: usize,
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

        let on_event = Rc::new(on_event);
        let tell = on_event.clone();
        let on_open = Closure::<dyn Fn()>::new(move || tell(SocketEvent::Open));
        let tell = on_event.clone();
        let on_message = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| tell(message_event(&event, longest)));
        let tell = on_event.clone();
        let on_error =
            Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| tell(SocketEvent::Error(failure_of(&event))));
        let on_close = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| on_event(close_event(&event)));
        let socket = Self { inner: socket, on_open, on_message, on_error, on_close };
        socket.attach().map_err(|error| message_of(&error))?;
        Ok(socket)
    }

    /// Attaches the handlers. When it fails, the socket is dropped, and so they are detached again.
    fn attach(&self) -> Result<(), JsValue> {
        set(&self.inner, "binaryType", &"arraybuffer".into())?;
        set(&self.inner, "onopen", self.on_open.as_ref())?;
        set(&self.inner, "onmessage", self.on_message.as_ref())?;
        set(&self.inner, "onclose", self.on_close.as_ref())?;
        set(&self.inner, "onerror", self.on_error.as_ref())
    }
}

impl Transport for Socket {
    fn send_text(&self, text: &str) -> Result<(), String> {
        self.inner.send_with_str(text).map_err(|error| message_of(&error))
    }

    fn send_binary(&self, data: &[u8]) -> Result<(), String> {
        // A copy: the browser may read the bytes after the wasm memory has moved on.
        let copy = values::byte_array(data).map_err(|error| message_of(&error))?;
        self.inner.send_with_array_buffer(&copy.buffer()).map_err(|error| message_of(&error))
    }

    fn close(&self, code: u16, reason: &str) -> Result<(), String> {
        self.inner.close_with_code_and_reason(code, reason).map_err(|error| message_of(&error))
    }

    fn url(&self) -> String {
        text(&self.inner, "url")
    }

    fn protocol(&self) -> String {
        text(&self.inner, "protocol")
    }

    fn buffered_amount(&self) -> f64 {
        number(&self.inner, "bufferedAmount")
    }

    fn is_closing(&self) -> bool {
        let state = self.inner.unchecked_ref::<AnySocket>().ready_state().ok().and_then(|state| state.as_f64());
        state.is_some_and(|state| state >= f64::from(WebSocket::CLOSING))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for name in ["onopen", "onmessage", "onclose"] {
            // It could be set, so it can be set again.
            let _ = set(&self.inner, name, &JsValue::NULL);
        }
        // The socket of the npm package ws ends the process when nobody handles an error, also one that comes after this.
        let _ = BOOLEAN.with(|ignore| set(&self.inner, "onerror", ignore));
        // Without a code it is always allowed, and it does nothing on a socket that is closed.
        let _ = self.inner.close();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("url", &self.url()).finish_non_exhaustive()
    }
}

// A socket may be of the page's own making, or of a runtime that differs from the standard, as workerd does where `protocol`
// is null. So nothing is taken for granted, and what is not there is as if it were empty.

fn property(object: &JsValue, name: &str) -> JsValue {
    values::property(object, &name.into()).unwrap_or_default()
}

fn set(object: &JsValue, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), value).map(drop)
}

fn text(object: &JsValue, name: &str) -> String {
    property(object, name).as_string().unwrap_or_default()
}

fn number(object: &JsValue, name: &str) -> f64 {
    property(object, name).as_f64().unwrap_or_default()
}

fn message_event(event: &JsValue, longest: usize) -> SocketEvent {
    let data = event.unchecked_ref::<Event>().data().unwrap_or_default();
    // In units of UTF-16, each of which is a byte at least.
    let length =
        data.dyn_ref::<JsString>().map_or_else(|| number(&data, "byteLength"), |text| f64::from(text.length()));
    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^32")]
    if length > longest as f64 {
        return SocketEvent::TooLong;
    }
    match data.as_string() {
        Some(text) => SocketEvent::Text(text.into_bytes()),
        None => SocketEvent::Binary(values::bytes(&data).ok().flatten().unwrap_or_default()),
    }
}

/// Returns the text of an error event. It is empty in browsers.
fn failure_of(event: &JsValue) -> String {
    let message = text(event, "message");
    // Node's error for a name with several addresses, none of which answers, has no text.
    if message.is_empty() { text(&property(event, "error"), "code") } else { message }
}

/// The close code of a connection that ended without a close frame (RFC 6455, section 7.4.1).
const NO_CLOSE_FRAME: u16 = 1006;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a close code has 16 bits")]
fn close_event(event: &JsValue) -> SocketEvent {
    let code = number(event, "code") as u16;
    SocketEvent::Close {
        // Deno's sockets say 0 then.
        code: if code == 0 { NO_CLOSE_FRAME } else { code },
        reason: text(event, "reason"),
        was_clean: property(event, "wasClean").is_truthy(),
    }
}

fn global_web_socket() -> Result<Function, String> {
    Reflect::get(&js_sys::global(), &"WebSocket".into())
        .ok()
        .and_then(|value| value.dyn_into().ok())
        .ok_or_else(|| "there is no WebSocket here; give one, such as that of the npm package ws".to_owned())
}
