//! Everything that comes from JS: time, timers, macrotasks, sockets and the page's own functions.
//!
//! Each is a value that owns what it holds on the JS side, and lets go of it when it is dropped: first the handlers are
//! detached, then their closures are freed, so that JS never calls a closure that is gone.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Function, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageChannel, MessageEvent, WebSocket};

#[wasm_bindgen]
extern "C" {
    /// High Resolution Time, section 7.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    /// HTML, section 8.6. What it returns is a number in browsers and an object in Node.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, milliseconds: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);

    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn console_log(text: &str);

    #[wasm_bindgen(js_namespace = console, js_name = warn)]
    fn console_warn(text: &str);

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(value: &JsValue);

    /// A function of JS's own that may be called with anything and changes nothing.
    #[wasm_bindgen(thread_local_v2, js_name = Boolean)]
    static BOOLEAN: Function;
}

/// Milliseconds since the page, worker or process began; it never goes back.
#[must_use]
pub fn now() -> f64 {
    performance_now()
}

/// The longest time-out that `setTimeout` takes: beyond it, it fires at once.
const LONGEST_TIMEOUT: f64 = 2_147_483_647.0;

/// One armed `setTimeout`, to be armed again and again with the same handler.
#[must_use = "a timeout that is dropped never fires"]
pub struct Timeout {
    handler: Closure<dyn Fn()>,
    /// What `setTimeout` returned; undefined while it is not armed.
    armed: Cell<JsValue>,
}

impl Timeout {
    /// A time-out that calls `handler` whenever it was armed and its time has come.
    pub fn new(handler: impl Fn() + 'static) -> Self {
        Self { handler: Closure::new(handler), armed: Cell::default() }
    }

    /// Calls the handler in so many milliseconds, at the latest after 2^31 of them, instead of when it was armed for.
    pub fn arm(&self, milliseconds: f64) {
        self.disarm();
        // Rounded up: a time-out that fires a moment early would only have to be armed once more.
        let milliseconds = milliseconds.max(0.0).ceil().min(LONGEST_TIMEOUT);
        self.armed.set(set_timeout(self.handler.as_ref().unchecked_ref(), milliseconds));
    }

    /// Calls the handler no more, until it is armed again.
    pub fn disarm(&self) {
        let id = self.armed.take();
        if !id.is_undefined() {
            clear_timeout(&id);
        }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        self.disarm();
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").finish_non_exhaustive()
    }
}

/// A task that runs as soon as the page had its turn, unlike a microtask and without the four milliseconds of a nested
/// `setTimeout`: a message to oneself (HTML, section 9.4.2).
#[must_use = "a macrotask that is dropped never runs"]
pub struct Macrotask {
    handler: Closure<dyn Fn()>,
    /// Open only while a message is under way: an open port would keep a Node program from ending.
    channel: Cell<Option<MessageChannel>>,
}

impl Macrotask {
    /// A macrotask that calls `handler` whenever it was requested. The handler has to call [`done`](Self::done).
    pub fn new(handler: impl Fn() + 'static) -> Self {
        Self { handler: Closure::new(handler), channel: Cell::default() }
    }

    /// Calls the handler soon, and takes back what was requested before.
    ///
    /// Returns whether that is possible: not where there is no `MessageChannel`.
    pub fn request(&self) -> bool {
        self.done();
        let Ok(channel) = MessageChannel::new() else { return false };
        channel.port1().set_onmessage(Some(self.handler.as_ref().unchecked_ref()));
        let is_sent = channel.port2().post_message(&JsValue::NULL).is_ok();
        self.channel.set(Some(channel));
        is_sent
    }

    /// Takes the request back, or notes that the handler was called.
    pub fn done(&self) {
        if let Some(channel) = self.channel.take() {
            channel.port1().set_onmessage(None);
            channel.port1().close();
        }
    }
}

impl Drop for Macrotask {
    fn drop(&mut self) {
        self.done();
    }
}

impl fmt::Debug for Macrotask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Macrotask").finish_non_exhaustive()
    }
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

/// The text of whatever JS threw.
#[must_use]
pub fn message_of(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => thrown.as_string().unwrap_or_else(|| format!("{thrown:?}")),
    }
}

/// A function of the page that takes what the VM puts out, or the console where the page gave none.
#[derive(Clone, Debug)]
pub struct Sink {
    function: Option<Function>,
    console: Console,
}

/// The console's function that stands in for a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// `console.log`
    Log,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

impl Sink {
    /// The sink that `options` names, or the console.
    ///
    /// # Errors
    /// When `options` has something there that is no function.
    pub fn from_options(options: &JsValue, name: &str, console: Console) -> Result<Self, JsValue> {
        Ok(Self { function: function_option(options, name)?, console })
    }

    /// Puts out a value.
    ///
    /// # Errors
    /// What the page's function threw, in its own words.
    pub fn put(&self, value: &JsValue) -> Result<(), String> {
        if let Some(function) = &self.function {
            return function.call1(&JsValue::UNDEFINED, value).map(drop).map_err(|thrown| message_of(&thrown));
        }
        let text = || value.as_string().unwrap_or_default();
        match self.console {
            Console::Log => console_log(&text()),
            Console::Warn => console_warn(&text()),
            Console::Error => console_error(value),
        }
        Ok(())
    }
}

/// The number that an object of options has under `name`, or none.
///
/// # Errors
/// When it has something there that is no number above zero, or reading it throws.
pub fn number_option(options: &JsValue, name: &str) -> Result<Option<f64>, JsValue> {
    let Some(value) = option(options, name)? else { return Ok(None) };
    match value.as_f64() {
        Some(number) if number > 0.0 => Ok(Some(number)),
        _ => Err(js_sys::TypeError::new(&format!("option {name}: not a number above zero")).into()),
    }
}

/// What an object of options has under `name`, or none.
///
/// # Errors
/// When reading it throws.
pub fn option(options: &JsValue, name: &str) -> Result<Option<JsValue>, JsValue> {
    if options.is_undefined() || options.is_null() {
        return Ok(None);
    }
    let value = Reflect::get(options, &name.into())?;
    Ok(Some(value).filter(|value| !value.is_undefined() && !value.is_null()))
}

/// Tells the developer of the page that one of its own functions failed, and what it was given.
pub fn complain(about: &JsValue, message: &str) {
    console_error(about);
    console_error(&message.into());
}

/// The function that an object of options has under `name`, or none.
///
/// # Errors
/// When it has something there that is no function, or reading it throws.
pub fn function_option(options: &JsValue, name: &str) -> Result<Option<Function>, JsValue> {
    let Some(value) = option(options, name)? else { return Ok(None) };
    value.dyn_into().map(Some).map_err(|_| js_sys::TypeError::new(&format!("option {name}: not a function")).into())
}
