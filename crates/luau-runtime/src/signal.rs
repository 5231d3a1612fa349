//! Signals, modeled on Roblox's `RBXScriptSignal`: <https://create.roblox.com/docs/reference/engine/datatypes/RBXScriptSignal>.
//!
//! A signal keeps its consumers, both handlers and waiting threads, in the order in which they were added. It keeps no events: the code
//! that fires it first calls [`Signal::has_consumer`], and its [`Source`] is notified when the first consumer arrives.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use crate::call_error::CallError;
use crate::function::{Callee, FunctionBuilder};
use crate::members::Members;
use crate::scheduler::{Callable, ResumeToken, Scheduler, Timer};

/// The source of a signal's events, which the signal notifies of its consumers.
pub trait Source {
    /// Called when a consumer was added.
    fn on_consumer_added(self: Rc<Self>);
    /// Called when the last consumer was removed.
    fn on_last_removed(self: Rc<Self>);
}

/// A signal. Cloning creates another handle to the same signal.
#[derive(Clone)]
pub struct Signal(Rc<Inner>);

struct Inner {
    scheduler: Scheduler,
    /// The consumers by their numbers, so that each can be removed without a search.
    consumers: RefCell<BTreeMap<u64, Rc<Consumer>>>,
    next_number: Cell<u64>,
    /// True if a thread has ever waited.
    has_reader: Cell<bool>,
    source: RefCell<Option<Weak<dyn Source>>>,
}

struct Consumer {
    /// The number of the consumer, higher than all earlier ones.
    number: u64,
    kind: ConsumerKind,
}

enum ConsumerKind {
    Handler(Handler),
    /// A waiting thread. Taken when the thread is woken, or stops waiting in another way.
    Waiter(RefCell<Option<Wait>>),
}

/// The wait of a thread, with its timeout if there is one.
struct Wait {
    token: ResumeToken,
    _timer: Option<Timer>,
}

struct Handler {
    signal: Weak<Inner>,
    /// None once the handler is disconnected. A handler often refers to its own connection, which refers to this. The collector can free
    /// them only after the function is dropped.
    function: RefCell<Option<LuaFunction>>,
    lifetime: Lifetime,
}

impl Handler {
    fn is_connected(&self) -> bool {
        self.function.borrow().is_some()
    }
}

impl Consumer {
    fn is_handler(&self) -> bool {
        matches!(self.kind, ConsumerKind::Handler(_))
    }

    /// Forgets the function of a handler.
    fn clear(&self) {
        if let ConsumerKind::Handler(handler) = &self.kind {
            let function = handler.function.take();
            drop(function);
        }
    }

    /// Removes a handler from its signal, if the signal still exists.
    fn disconnect(self: &Rc<Self>) {
        if let ConsumerKind::Handler(handler) = &self.kind
            && let Some(signal) = handler.signal.upgrade()
        {
            Signal(signal).remove(self);
        }
        self.clear();
    }
}

impl Callable for Consumer {
    fn function(self: Rc<Self>) -> Option<LuaFunction> {
        let ConsumerKind::Handler(handler) = &self.kind else { return None };
        // None if the handler was disconnected meanwhile.
        let function = handler.function.borrow().clone()?;
        if handler.lifetime == Lifetime::OneEvent {
            self.disconnect();
        }
        Some(function)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifetime {
    UntilDisconnected,
    OneEvent,
}

impl Signal {
    /// Creates a signal without consumers.
    #[must_use]
    pub fn new(scheduler: &Scheduler) -> Self {
        Self(Rc::new(Inner {
            scheduler: scheduler.clone(),
            consumers: RefCell::default(),
            next_number: Cell::new(0),
            has_reader: Cell::new(false),
            source: RefCell::new(None),
        }))
    }

    /// Sets the source, which is notified of consumers.
    pub fn set_source(&self, source: Weak<dyn Source>) {
        *self.0.source.borrow_mut() = Some(source);
    }

    /// Returns true if a handler is connected or a thread waits.
    #[must_use]
    pub fn has_consumer(&self) -> bool {
        !self.0.consumers.borrow().is_empty()
    }

    /// Returns true if a thread has ever waited, and so is expected to wait for the next event too.
    #[must_use]
    pub fn has_reader(&self) -> bool {
        self.0.has_reader.get()
    }

    /// Fires the signal. Must be called from one of the scheduler's dispatches.
    ///
    /// The current consumers receive the event in order. Each handler runs in a thread of its own, unless it is disconnected before its
    /// turn.
    pub fn fire(&self, values: LuaMultiValue) {
        // Most signals have one consumer, and need no list.
        match self.only_consumer() {
            Some(only) if only.is_handler() => return self.0.scheduler.call_first(only, values),
            Some(only) => return self.0.scheduler.run_before_queue(|| self.wake_waiter(&only, values)),
            None => {}
        }
        let mut consumers = self.consumers();
        let last = consumers.pop();
        self.0.scheduler.run_before_queue(|| {
            for consumer in consumers {
                self.notify(consumer, values.clone());
            }
            if let Some(last) = last {
                self.notify(last, values);
            }
        });
    }

    fn notify(&self, consumer: Rc<Consumer>, values: LuaMultiValue) {
        match &consumer.kind {
            ConsumerKind::Handler(_) => self.0.scheduler.call(consumer, values),
            ConsumerKind::Waiter(_) => self.wake_waiter(&consumer, values),
        }
    }

    /// Removes all consumers: handlers are disconnected, and waiting threads continue without values.
    pub fn end(&self) {
        for consumer in self.consumers() {
            match &consumer.kind {
                ConsumerKind::Handler(_) => consumer.disconnect(),
                ConsumerKind::Waiter(_) => self.wake_waiter(&consumer, LuaMultiValue::new()),
            }
        }
    }

    fn wake_waiter(&self, consumer: &Rc<Consumer>, values: LuaMultiValue) {
        self.remove(consumer);
        if let ConsumerKind::Waiter(wait) = &consumer.kind
            && let Some(wait) = wait.take()
        {
            self.0.scheduler.wake(wait.token, values);
        }
    }

    fn connect(&self, function: LuaFunction, lifetime: Lifetime) -> Connection {
        let handler = Handler { signal: Rc::downgrade(&self.0), function: RefCell::new(Some(function)), lifetime };
        let consumer = self.new_consumer(ConsumerKind::Handler(handler));
        self.add(consumer.clone());
        Connection(consumer)
    }

    /// Parks the running thread until the signal fires, and wakes it with the signal's values. The thread is woken without values after
    /// `timeout` milliseconds, or when the signal can no longer fire.
    pub fn wait(&self, lua: &Lua, timeout: Option<f64>) {
        self.0.has_reader.set(true);
        let consumer = self.new_consumer(ConsumerKind::Waiter(RefCell::new(None)));
        let (signal, waiter) = (Rc::downgrade(&self.0), Rc::downgrade(&consumer));
        let token = self.0.scheduler.park(lua, move || {
            if let (Some(signal), Some(waiter)) = (signal.upgrade(), waiter.upgrade()) {
                Signal(signal).remove(&waiter);
            }
        });
        let timer = timeout.map(|milliseconds| {
            let (signal, waiter) = (Rc::downgrade(&self.0), Rc::downgrade(&consumer));
            let scheduler = self.0.scheduler.clone();
            self.0.scheduler.timer(milliseconds, move || {
                // At the end of the cycle, because events that were kept for the thread are delivered there too, and must come first.
                scheduler.dispatch_deferred(move |_| {
                    if let (Some(signal), Some(waiter)) = (signal.upgrade(), waiter.upgrade()) {
                        Signal(signal).wake_waiter(&waiter, LuaMultiValue::new());
                    }
                });
            })
        });
        if let ConsumerKind::Waiter(slot) = &consumer.kind {
            *slot.borrow_mut() = Some(Wait { token, _timer: timer });
        }
        self.add(consumer);
    }

    fn new_consumer(&self, kind: ConsumerKind) -> Rc<Consumer> {
        let number = self.0.next_number.get();
        self.0.next_number.set(number + 1);
        Rc::new(Consumer { number, kind })
    }

    /// Returns the current consumers, in order.
    fn consumers(&self) -> Vec<Rc<Consumer>> {
        self.0.consumers.borrow().values().cloned().collect()
    }

    /// Returns the consumer if there is only one.
    fn only_consumer(&self) -> Option<Rc<Consumer>> {
        let consumers = self.0.consumers.borrow();
        let mut listed = consumers.values();
        listed.next().filter(|_| listed.next().is_none()).cloned()
    }

    fn add(&self, consumer: Rc<Consumer>) {
        self.0.consumers.borrow_mut().insert(consumer.number, consumer);
        if let Some(source) = self.source() {
            source.on_consumer_added();
        }
    }

    fn remove(&self, consumer: &Rc<Consumer>) {
        let is_last = {
            let mut consumers = self.0.consumers.borrow_mut();
            consumers.remove(&consumer.number).is_some() && consumers.is_empty()
        };
        if is_last && let Some(source) = self.source() {
            source.on_last_removed();
        }
    }

    fn source(&self) -> Option<Rc<dyn Source>> {
        self.0.source.borrow().as_ref().and_then(Weak::upgrade)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("consumers", &self.0.consumers.borrow().len()).finish_non_exhaustive()
    }
}

/// The result of `Connect` and `Once`. It refers to the handler but does not keep the signal alive.
#[derive(Clone)]
pub struct Connection(Rc<Consumer>);

impl Connection {
    fn is_connected(&self) -> bool {
        matches!(&self.0.kind, ConsumerKind::Handler(handler) if handler.is_connected())
    }

    fn disconnect(&self) {
        self.0.disconnect();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("connected", &self.is_connected()).finish_non_exhaustive()
    }
}

/// A signal as a value for scripts. `owner` must live as long as the script can still connect.
#[derive(Debug)]
pub struct SignalUserData<T> {
    /// The signal.
    pub signal: Signal,
    /// The value that is kept alive along with the signal.
    pub owner: T,
}

/// The name of the signal type in Luau, as `typeof` returns it.
const SIGNAL: &str = "Signal";
/// The name of the connection type in Luau, as `typeof` returns it.
const CONNECTION: &str = "Connection";

/// The member that is true while the handler is connected.
const CONNECTED: &str = "Connected";

/// Registers the members of [`SignalUserData<T>`] and [`Connection`] in `lua`.
///
/// # Errors
/// If there is not enough memory.
pub fn install<T: 'static>(lua: &Lua, builder: &FunctionBuilder) -> LuaResult<()> {
    let methods = lua.create_table()?;
    for (name, lifetime) in [("Connect", Lifetime::UntilDisconnected), ("Once", Lifetime::OneEvent)] {
        methods.raw_set(
            name,
            builder.sync(lua, Callee::Method(name), move |lua, args| {
                let signal = args.userdata::<SignalUserData<T>>(1, SIGNAL)?.signal.clone();
                let connection = signal.connect(args.function(2)?, lifetime);
                Ok(lua.create_any_userdata(connection)?)
            })?,
        )?;
    }
    methods.raw_set(
        "Wait",
        builder.yielding(lua, Callee::Method("Wait"), |lua, args| {
            let signal = args.userdata::<SignalUserData<T>>(1, SIGNAL)?.signal.clone();
            signal.wait(lua, None);
            Ok(())
        })?,
    )?;
    let members = Members::new(SIGNAL, &methods, []);
    let newindex = members.newindex(lua, builder)?;
    let index = builder
        .indexing(lua, methods, move |_, args| -> Result<(), CallError> { Err(members.unknown(&args.value(2))) })?;
    lua.register_userdata_type::<SignalUserData<T>>(move |registry| {
        registry.add_meta_field("__type", SIGNAL);
        registry.add_meta_field("__index", index);
        registry.add_meta_field("__newindex", newindex);
    })?;

    let disconnect = builder.sync(lua, Callee::Method("Disconnect"), |_, args| {
        args.userdata::<Connection>(1, CONNECTION)?.clone().disconnect();
        Ok(())
    })?;
    let methods = lua.create_table_from([("Disconnect", disconnect)])?;
    let members = Members::new(CONNECTION, &methods, [CONNECTED]);
    let newindex = members.newindex(lua, builder)?;
    let index = builder.indexing(lua, methods, move |_, args| -> Result<LuaValue, CallError> {
        let connection = args.userdata::<Connection>(1, CONNECTION)?;
        match args.value(2) {
            LuaValue::String(name) if name == CONNECTED => Ok(LuaValue::Boolean(connection.is_connected())),
            name => Err(members.unknown(&name)),
        }
    })?;
    lua.register_userdata_type::<Connection>(move |registry| {
        registry.add_meta_field("__type", CONNECTION);
        registry.add_meta_field("__index", index);
        registry.add_meta_field("__newindex", newindex);
    })
}
