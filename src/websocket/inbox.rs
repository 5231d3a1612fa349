//! The messages of a connection that nobody has got yet.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::Limits;

/// A message that nobody has got yet.
pub(super) struct Message {
    pub(super) data: Vec<u8>,
    pub(super) is_binary: bool,
}

/// The bytes that all inboxes of a VM hold together. Cloning gives another handle to the same.
#[derive(Clone)]
pub(super) struct Total {
    bytes: Rc<Cell<usize>>,
    most: usize,
}

impl Total {
    /// None yet, and at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { bytes: Rc::default(), most }
    }

    /// The longest message that fits when there is no other.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    fn has_room(&self, length: usize) -> bool {
        length <= self.most.saturating_sub(self.bytes.get())
    }
}

/// The messages of a connection that nobody has got yet.
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
    total: Total,
    limits: Limits,
    dropped: usize,
    /// The messages at the front that were there before anybody listened, and their bytes: they are not the fault of who
    /// came then, and do not count against it.
    backlog: usize,
    backlog_bytes: usize,
}

impl Inbox {
    /// An empty one, whose bytes count in `total`.
    pub(super) fn new(limits: Limits, total: Total) -> Self {
        let (messages, bytes, dropped, backlog, backlog_bytes) = Default::default();
        Self { messages, bytes, total, limits, dropped, backlog, backlog_bytes }
    }

    /// Whether another message fits. Into an empty inbox one fits however long it is, if there is room in the VM.
    pub(super) fn has_room(&self, message: &Message) -> bool {
        let (count, bytes) = (self.messages.len() - self.backlog, self.bytes - self.backlog_bytes);
        let fits = count < self.limits.messages && bytes + message.data.len() <= self.limits.bytes;
        (fits || count == 0) && self.total.has_room(message.data.len())
    }

    /// Drops the oldest messages until another one fits, or none is left.
    pub(super) fn make_room(&mut self, message: &Message) {
        // Nobody listens any more for whom it would be kept.
        (self.backlog, self.backlog_bytes) = (0, 0);
        while !self.has_room(message) && self.pop().is_some() {
            self.dropped += 1;
        }
    }

    /// Takes a message in; one for which there is no room in the VM is dropped.
    pub(super) fn push(&mut self, message: Message) {
        if self.total.has_room(message.data.len()) {
            self.count(message.data.len());
            self.messages.push_back(message);
        } else {
            self.dropped += 1;
        }
    }

    /// The oldest message.
    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        let length = message.data.len();
        self.bytes -= length;
        self.total.bytes.set(self.total.bytes.get() - length);
        if self.backlog > 0 {
            self.backlog -= 1;
            self.backlog_bytes -= length;
        }
        Some(message)
    }

    fn count(&mut self, length: usize) {
        self.bytes += length;
        self.total.bytes.set(self.total.bytes.get() + length);
    }

    /// Takes what is there for the backlog of somebody who has just come.
    pub(super) fn begin_reading(&mut self) {
        self.backlog = self.messages.len();
        self.backlog_bytes = self.bytes;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// How many messages were dropped.
    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    /// Takes note of a message that was not let in.
    pub(super) fn note_dropped(&mut self) {
        self.dropped += 1;
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.total.bytes.set(self.total.bytes.get() - self.bytes);
    }
}
