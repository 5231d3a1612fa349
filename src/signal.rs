//! Signals, after Roblox's `RBXScriptSignal`: <https://create.roblox.com/docs/reference/engine/datatypes/RBXScriptSignal>.
//!
//! A signal keeps its consumers, handlers and waiting threads alike, in the order in which they came. It keeps no
//! events: whoever fires it asks [`Signal::has_consumer`] first, and is told by its [`Source`] when the first one comes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};

use mlua::prelude::*;

use crate::bind::{Binder, Callee};
use crate::failure::Failure;
use crate::members::Members;
use crate::scheduler::{Called, Scheduler, Timer, Token};

/// Who fires a signal, as far as the signal has to tell it something.
pub trait Source {
    /// Someone began to listen.
    fn listened(self: Rc<Self>);
    /// The last one stopped.
    fn deserted(self: Rc<Self>);
}

/// A signal. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Signal(Rc<Inner>);

struct Inner {
    scheduler: Scheduler,
    /// By their numbers, so that each can go without a look at the others.
    consumers: RefCell<BTreeMap<u64, Rc<Consumer>>>,
    next_number: Cell<u64>,
    /// Whether a thread has ever waited.
    has_reader: Cell<bool>,
    source: RefCell<Option<Weak<dyn Source>>>,
}

struct Consumer {
    /// Higher than those of all that came before.
    number: u64,
    kind: ConsumerKind,
}

enum ConsumerKind {
    Handler(Handler),
    /// Taken when the thread is woken, or stops waiting in another way.
    Waiter(RefCell<Option<Wait>>),
}

/// A thread that waits, and its time-out, if it has one.
struct Wait {
    token: Token,
    _timer: Option<Timer>,
}

struct Handler {
    signal: Weak<Inner>,
    /// None once it is disconnected. A handler often refers to its own connection, which refers to this: only letting
    /// go of the function lets the collector have them.
    function: RefCell<Option<LuaFunction>>,
    lifetime: Lifetime,
}

impl Handler {
    fn is_connected(&self) -> bool {
        self.function.borrow().is_some()
    }
}

impl Consumer {
    /// Forgets the function of a handler.
    fn let_go(&self) {
        if let ConsumerKind::Handler(handler) = &self.kind {
            let function = handler.function.take();
            drop(function);
        }
    }

    /// Takes a handler off its signal, if that is still there.
    fn disconnect(self: &Rc<Self>) {
        if let ConsumerKind::Handler(handler) = &self.kind
            && let Some(signal) = handler.signal.upgrade()
        {
            Signal(signal).remove(self);
        }
        self.let_go();
    }
}

impl Called for Consumer {
    fn function(self: Rc<Self>) -> Option<LuaFunction> {
        let ConsumerKind::Handler(handler) = &self.kind else { return None };
        // None if it was disconnected meanwhile.
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
    /// A signal that nobody listens to.
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

    /// Sets who is told when someone begins to listen.
    pub fn set_source(&self, source: Weak<dyn Source>) {
        *self.0.source.borrow_mut() = Some(source);
    }

    /// Whether a handler is connected or a thread waits.
    #[must_use]
    pub fn has_consumer(&self) -> bool {
        !self.0.consumers.borrow().is_empty()
    }

    /// Whether a thread has ever waited, and so is expected to come for the next event too.
    #[must_use]
    pub fn has_reader(&self) -> bool {
        self.0.has_reader.get()
    }

    /// Fires the signal; to be called from a dispatch of the scheduler.
    ///
    /// Those who listen now get the event, in their order: each handler in a thread of its own, unless it is
    /// disconnected before its turn.
    pub fn fire(&self, values: LuaMultiValue) {
        if let Some(only) = self.only_consumer() {
            return self.0.scheduler.ahead(|| self.tell(only, values));
        }
        let mut consumers = self.consumers();
        let last = consumers.pop();
        self.0.scheduler.ahead(|| {
            for consumer in consumers {
                self.tell(consumer, values.clone());
            }
            if let Some(last) = last {
                self.tell(last, values);
            }
        });
    }

    fn tell(&self, consumer: Rc<Consumer>, values: LuaMultiValue) {
        match &consumer.kind {
            ConsumerKind::Handler(_) => self.0.scheduler.call(consumer, values),
            ConsumerKind::Waiter(_) => self.wake_waiter(&consumer, values),
        }
    }

    /// Lets go of all who listen: handlers are disconnected, waiting threads go on with nothing.
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
        let consumer = self.make(ConsumerKind::Handler(handler));
        self.add(consumer.clone());
        Connection(consumer)
    }

    /// Parks the thread that is running until the signal fires, and wakes it with what it was fired with; or with
    /// nothing when that takes longer than so many milliseconds, or cannot happen any more.
    pub fn wait(&self, lua: &Lua, timeout: Option<f64>) {
        self.0.has_reader.set(true);
        let consumer = self.make(ConsumerKind::Waiter(RefCell::new(None)));
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
                // At the end of the cycle: what was kept for the thread is delivered there too, and comes first.
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

    fn make(&self, kind: ConsumerKind) -> Rc<Consumer> {
        let number = self.0.next_number.get();
        self.0.next_number.set(number + 1);
        Rc::new(Consumer { number, kind })
    }

    /// Those who listen now, in their order.
    fn consumers(&self) -> Vec<Rc<Consumer>> {
        self.0.consumers.borrow().values().cloned().collect()
    }

    /// Who listens, where nobody else does: most signals have one handler, and no list is made for it.
    fn only_consumer(&self) -> Option<Rc<Consumer>> {
        let consumers = self.0.consumers.borrow();
        let mut listed = consumers.values();
        listed.next().filter(|_| listed.next().is_none()).cloned()
    }

    fn add(&self, consumer: Rc<Consumer>) {
        self.0.consumers.borrow_mut().insert(consumer.number, consumer);
        if let Some(source) = self.source() {
            source.listened();
        }
    }

    fn remove(&self, consumer: &Rc<Consumer>) {
        let is_last = {
            let mut consumers = self.0.consumers.borrow_mut();
            consumers.remove(&consumer.number).is_some() && consumers.is_empty()
        };
        if is_last && let Some(source) = self.source() {
            source.deserted();
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

/// What `Connect` and `Once` return: the handler, as long as the signal has it. To hold it is not to hold the signal.
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

/// A signal as a script holds it. `owner` is whatever must live as long as the script can still listen.
#[derive(Debug)]
pub struct SignalUserData<T> {
    /// The signal itself.
    pub signal: Signal,
    /// Kept alive with it.
    pub owner: T,
}

/// The names of the two types in Luau, as `typeof` gives them.
pub(crate) const SIGNAL: &str = "Signal";
const CONNECTION: &str = "Connection";

/// The member that tells whether a handler is still called.
const CONNECTED: &str = "Connected";

/// Tells `lua` what [`SignalUserData<T>`] and [`Connection`] can do.
///
/// # Errors
/// When there is no memory.
pub fn install<T: 'static>(lua: &Lua, binder: &Binder) -> LuaResult<()> {
    let methods = lua.create_table()?;
    for (name, lifetime) in [("Connect", Lifetime::UntilDisconnected), ("Once", Lifetime::OneEvent)] {
        methods.raw_set(
            name,
            binder.plain(lua, Callee::Method(name), move |lua, args| {
                let signal = args.userdata::<SignalUserData<T>>(1, SIGNAL)?.signal.clone();
                let connection = signal.connect(args.function(2)?, lifetime);
                Ok(lua.create_any_userdata(connection)?)
            })?,
        )?;
    }
    methods.raw_set(
        "Wait",
        binder.parking(lua, Callee::Method("Wait"), |lua, args| {
            let signal = args.userdata::<SignalUserData<T>>(1, SIGNAL)?.signal.clone();
            signal.wait(lua, None);
            Ok(())
        })?,
    )?;
    let members = Members::new(SIGNAL, &methods, []);
    let newindex = members.newindex(lua, binder)?;
    let index = binder
        .indexing(lua, methods, move |_, args| -> Result<(), Failure> { Err(members.unknown(&args.value(2))) })?;
    lua.register_userdata_type::<SignalUserData<T>>(move |registry| {
        registry.add_meta_field("__type", SIGNAL);
        registry.add_meta_field("__index", index);
        registry.add_meta_field("__newindex", newindex);
    })?;

    let disconnect = binder.plain(lua, Callee::Method("Disconnect"), |_, args| {
        args.userdata::<Connection>(1, CONNECTION)?.clone().disconnect();
        Ok(())
    })?;
    let methods = lua.create_table_from([("Disconnect", disconnect)])?;
    let members = Members::new(CONNECTION, &methods, [CONNECTED]);
    let newindex = members.newindex(lua, binder)?;
    let index = binder.indexing(lua, methods, move |_, args| -> Result<LuaValue, Failure> {
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
