//! The host's sockets.

use std::fmt;
use std::rc::Rc;

use js_sys::{Array, Function, JsString, Reflect};
use luau_runtime::websocket::{SocketEvent, Transport};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use super::values::{self, message_of};

#[wasm_bindgen]
extern "C" {
    /// A built-in function that accepts any arguments and has no effect.
    #[wasm_bindgen(thread_local_v2, js_name = Boolean)]
    static BOOLEAN: Function;

    /// The argument of a socket's `onmessage`. If the host provides the socket, it can be anything.
    type Event;

    /// Reads `event.data`. Unlike `Reflect.get`, this needs no string for the name.
    #[wasm_bindgen(method, getter, structural, catch)]
    fn data(this: &Event) -> Result<JsValue, JsValue>;

    /// A socket of any class. Its state is read for each sent message.
    type AnySocket;

    #[wasm_bindgen(method, getter, structural, catch, js_name = readyState)]
    fn ready_state(this: &AnySocket) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn send(this: &AnySocket, text: &JsString) -> Result<(), JsValue>;
}

/// A host's `WebSocket`, with our handlers attached from the start.
///
/// Dropping it detaches the handlers and closes the socket.
#[must_use = "a socket that is dropped is closed"]
pub(crate) struct Socket {
    inner: WebSocket,
    on_open: Closure<dyn Fn()>,
    on_message: Closure<dyn Fn(JsValue)>,
    on_error: Closure<dyn Fn(JsValue)>,
    on_close: Closure<dyn Fn(JsValue)>,
}

impl Socket {
    /// Starts to connect, using `constructor` or the global `WebSocket`. Events arrive later, never during this call. Messages of more than
    /// `max_length` bytes are not copied into the memory of this module.
    ///
    /// # Errors
    /// If the constructor throws, which it does for a URL or a subprotocol that the browser refuses, or if there is no `WebSocket`. The
    /// error is the constructor's message.
    pub(crate) fn connect(
        constructor: Option<&Function>,
        url: &str,
        protocols: &[String],
        max_length: usize,
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
        let emit = on_event.clone();
        let on_open = Closure::<dyn Fn()>::new(move || emit(SocketEvent::Open));
        let emit = on_event.clone();
        let on_message = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| emit(message_event(&event, max_length)));
        let emit = on_event.clone();
        let on_error =
            Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| emit(SocketEvent::Error(error_text(&event))));
        let on_close = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| on_event(close_event(&event)));
        let socket = Self { inner: socket, on_open, on_message, on_error, on_close };
        socket.attach().map_err(|error| message_of(&error))?;
        Ok(socket)
    }

    /// Attaches the handlers. If this fails, the socket is dropped, which detaches them again.
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
        let text = values::string(text).map_err(|termination| termination.to_string())?;
        self.inner.unchecked_ref::<AnySocket>().send(&text).map_err(|error| message_of(&error))
    }

    fn send_binary(&self, data: &[u8]) -> Result<(), String> {
        // A copy, because the browser may read the bytes after the wasm memory has changed.
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
            // Setting it worked before, so it works again.
            let _ = set(&self.inner, name, &JsValue::NULL);
        }
        // The npm package ws ends the process if an error is not handled, even one that occurs after this.
        let _ = BOOLEAN.with(|ignore| set(&self.inner, "onerror", ignore));
        // Without a code this is always allowed, and has no effect on a closed socket.
        let _ = self.inner.close();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("url", &self.url()).finish_non_exhaustive()
    }
}

// The host may provide the socket, or the runtime may differ from the standard, like workerd, where `protocol` is null. So nothing is taken
// for granted, and missing members are treated as empty.

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

fn message_event(event: &JsValue, max_length: usize) -> SocketEvent {
    let data = event.unchecked_ref::<Event>().data().unwrap_or_default();
    // In UTF-16 code units, each of which is at least one byte.
    let length =
        data.dyn_ref::<JsString>().map_or_else(|| number(&data, "byteLength"), |text| f64::from(text.length()));
    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^32")]
    if length > max_length as f64 || !values::has_room_for(length) {
        return SocketEvent::TooLong;
    }
    match data.as_string() {
        Some(text) => SocketEvent::Text(text.into_bytes()),
        None => SocketEvent::Binary(values::bytes(&data).ok().flatten().unwrap_or_default()),
    }
}

/// Returns the text of an error event. It is empty in browsers.
fn error_text(event: &JsValue) -> String {
    let message = text(event, "message");
    // Node's error for a name with several addresses that all fail to answer has no message.
    if message.is_empty() { text(&property(event, "error"), "code") } else { message }
}

/// The close code of a connection that ended without a close frame (RFC 6455, section 7.4.1).
const NO_CLOSE_FRAME: u16 = 1006;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a close code has 16 bits")]
fn close_event(event: &JsValue) -> SocketEvent {
    let code = number(event, "code") as u16;
    SocketEvent::Close {
        // Deno's sockets report 0 in this case.
        code: if code == 0 { NO_CLOSE_FRAME } else { code },
        reason: text(event, "reason"),
        was_clean: property(event, "wasClean").is_truthy(),
    }
}

fn global_web_socket() -> Result<Function, String> {
    Reflect::get(&js_sys::global(), &"WebSocket".into())
        .ok()
        .and_then(|value| value.dyn_into().ok())
        .ok_or_else(|| "there is no WebSocket here; provide one, such as that of the npm package ws".to_owned())
}
