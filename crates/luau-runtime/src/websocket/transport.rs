//! The interface between a connection and its socket.

/// An event of a socket.
#[derive(Debug)]
pub enum SocketEvent {
    /// The handshake is complete.
    Open,
    /// A text message, as UTF-8.
    Text(Vec<u8>),
    /// A binary message.
    Binary(Vec<u8>),
    /// A message of either kind that exceeds the maximum length. It was not copied.
    TooLong,
    /// The connection failed for this reason. In browsers, which give no reason, the text is empty. A close follows.
    Error(String),
    /// The connection is closed. No event follows.
    Close {
        /// The close code, by section 7.4 of RFC 6455.
        code: u16,
        /// The close reason.
        reason: String,
        /// True if the closing handshake was completed.
        was_clean: bool,
    },
}

/// The socket of a connection. Dropping it ends the connection, and no more events follow.
pub trait Transport {
    /// Sends a text message.
    ///
    /// # Errors
    /// If the socket was not opened. The error is the browser's message.
    fn send_text(&self, text: &str) -> Result<(), String>;
    /// Sends a binary message.
    ///
    /// # Errors
    /// If the socket was not opened. The error is the browser's message.
    fn send_binary(&self, data: &[u8]) -> Result<(), String>;
    /// Starts the closing handshake.
    ///
    /// # Errors
    /// If the standard does not allow the code or the reason. The error is the browser's message.
    fn close(&self, code: u16, reason: &str) -> Result<(), String>;
    /// Returns the URL as resolved by the browser.
    fn url(&self) -> String;
    /// Returns the subprotocol that the server chose, or an empty string.
    fn protocol(&self) -> String;
    /// Returns the number of bytes that wait to be sent.
    fn buffered_amount(&self) -> f64;
    /// Returns true once either side has begun to close the connection, or once it has failed.
    fn is_closing(&self) -> bool;
}
