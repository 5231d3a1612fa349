//! The undelivered messages of a connection.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::Limits;

/// An undelivered message.
pub(super) struct Message {
    pub(super) data: Vec<u8>,
    pub(super) is_binary: bool,
}

/// The memory that a message takes up in addition to its data, in bytes. It counts, because a server can send millions of empty messages.
const OVERHEAD_BYTES: usize = 48;

/// The number of bytes that all inboxes of a VM hold together. Cloning creates another handle to the same counter.
#[derive(Clone)]
pub(super) struct Total {
    bytes: Rc<Cell<usize>>,
    max_bytes: usize,
}

impl Total {
    /// Creates a counter with this maximum.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { bytes: Rc::default(), max_bytes }
    }

    /// Returns the maximum, which is also the length of the longest message that fits if there is no other.
    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    fn has_room(&self, length: usize) -> bool {
        length <= self.max_bytes.saturating_sub(self.bytes.get())
    }
}

/// The undelivered messages of a connection.
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
    total: Total,
    limits: Limits,
    dropped: usize,
    /// The number of messages at the front that arrived before the first listener. They are not the listener's fault, and do not count
    /// against its limits.
    backlog: usize,
    /// The size of the backlog, in bytes.
    backlog_bytes: usize,
}

impl Inbox {
    /// Creates an empty inbox, whose bytes count towards `total`.
    pub(super) fn new(limits: Limits, total: Total) -> Self {
        let (messages, bytes, dropped, backlog, backlog_bytes) = Default::default();
        Self { messages, bytes, total, limits, dropped, backlog, backlog_bytes }
    }

    /// Returns true if another message fits. A message of any length fits into an empty inbox, if there is room in the VM.
    pub(super) fn has_room(&self, message: &Message) -> bool {
        let (count, bytes) = (self.messages.len() - self.backlog, self.bytes - self.backlog_bytes);
        let fits = count < self.limits.messages && bytes + message.data.len() <= self.limits.bytes;
        (fits || count == 0) && self.total.has_room(message.data.len())
    }

    /// Drops the oldest messages until this one fits, or none is left.
    pub(super) fn make_room(&mut self, message: &Message) {
        // The listener for whom the backlog was kept is gone.
        (self.backlog, self.backlog_bytes) = (0, 0);
        while !self.has_room(message) && self.pop().is_some() {
            self.dropped += 1;
        }
    }

    /// Adds a message, or drops it if there is no room in the VM.
    pub(super) fn push(&mut self, message: Message) {
        if self.total.has_room(message.data.len()) {
            self.count(message.data.len());
            self.messages.push_back(message);
        } else {
            self.dropped += 1;
        }
    }

    /// Removes the oldest message.
    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        let length = message.data.len();
        self.bytes -= length;
        self.total.bytes.set(self.total.bytes.get() - length - OVERHEAD_BYTES);
        if self.backlog > 0 {
            self.backlog -= 1;
            self.backlog_bytes -= length;
        }
        Some(message)
    }

    fn count(&mut self, length: usize) {
        self.bytes += length;
        self.total.bytes.set(self.total.bytes.get() + length + OVERHEAD_BYTES);
    }

    /// Makes the current messages the backlog of the first listener.
    pub(super) fn begin_reading(&mut self) {
        self.backlog = self.messages.len();
        self.backlog_bytes = self.bytes;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Returns the number of dropped messages.
    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    /// Counts a message that was dropped on arrival.
    pub(super) fn note_dropped(&mut self) {
        self.dropped += 1;
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.total.bytes.set(self.total.bytes.get() - self.bytes - self.messages.len() * OVERHEAD_BYTES);
    }
}
