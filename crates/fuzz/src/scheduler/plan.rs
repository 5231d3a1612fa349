//! The plan of a case: a script, and external events.

use std::fmt::Write;

use arbitrary::{Result, Unstructured};

/// The number of named threads and connections, and of signals.
pub(super) const SLOTS: usize = 5;
pub(super) const SIGNALS: usize = 2;

/// The unit of time is 1/64 second, because doubles represent its multiples exactly.
pub(super) const TICK: f64 = 1_000.0 / 64.0;

/// The duration of a computation, in milliseconds: longer than a slice, and shorter than the time limit.
pub(super) const SPELL: f64 = TICK;
pub(super) const SLICE: f64 = 8.0;
pub(super) const LIMIT: f64 = 2.5 * TICK;

/// A function of the script.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) id: usize,
    pub(super) steps: Vec<Step>,
}

/// An operation of a thread. When it is done, it notes its number and its result.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: usize,
    pub(super) does: Does,
}

#[derive(Debug)]
pub(super) enum Does {
    Wait(u32),
    Yield,
    Park,
    WaitFor(usize),
    Begin(How, Body, usize),
    Again(How, usize),
    Cancel(usize),
    Close(usize),
    Connect {
        signal: usize,
        once: bool,
        body: Body,
        slot: usize,
    },
    Disconnect(usize),
    Try(Body),
    Fail,
    Compute,
    /// Gives the thread a name.
    Name(usize),
    Status(usize),
    Fire(usize),
    /// Ends a thread on behalf of the host, from inside a call.
    End(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Spawn,
    Defer,
    Delay(u32),
    /// `coroutine.create` for a new thread, `coroutine.resume` for an existing one.
    Plain,
}

/// An external event.
#[derive(Debug)]
pub(super) enum Event {
    Start(Body),
    Pass(u32),
    /// Runs at most this many jobs.
    Turn(u32),
    Fire(usize),
    Wake(usize),
    Fail(usize),
    Resume(usize),
    Defer(usize),
    Delay(usize, u32),
    Cancel(usize),
    Watch(usize),
    Unwatch(usize),
    /// Starts a timer of a library.
    Timer(u32),
    DropTimer(usize),
    Clear,
}

/// Runs everything that is due, and then clears the scheduler.
pub(super) const CLOSING: [Event; 6] =
    [Event::Turn(300), Event::Pass(1_000), Event::Turn(300), Event::Turn(300), Event::Clear, Event::Turn(10)];

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) events: Vec<Event>,
    pub(super) has_slices: bool,
    pub(super) has_limit: bool,
}

impl Plan {
    pub(super) fn new(bytes: &mut Unstructured) -> Self {
        let mut maker = Maker { bytes, next: 0 };
        let (has_slices, has_limit) = (maker.flag(), maker.flag());
        let mut events = Vec::new();
        // The plan ends where the input ends.
        while !maker.bytes.is_empty() && events.len() < 60 {
            let Ok(event) = maker.event() else { break };
            events.push(event);
        }
        Self { events, has_slices, has_limit }
    }

    pub(super) fn source(&self) -> String {
        let mut source = String::new();
        for event in &self.events {
            if let Event::Start(body) = event {
                source.push_str(&body.source());
            }
        }
        source
    }
}

struct Maker<'a, 'b> {
    bytes: &'a mut Unstructured<'b>,
    next: usize,
}

impl Maker<'_, '_> {
    fn flag(&mut self) -> bool {
        self.bytes.arbitrary().unwrap_or_default()
    }

    fn id(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn event(&mut self) -> Result<Event> {
        let slot = |bytes: &mut Unstructured| bytes.int_in_range(0..=SLOTS - 1);
        Ok(match self.bytes.int_in_range(0..=35u8)? {
            0..=8 => Event::Start(self.body(0)?),
            9..=11 => Event::Pass(self.bytes.int_in_range(0..=6)?),
            12..=16 => Event::Turn(300),
            17..=20 => Event::Turn(self.bytes.int_in_range(1..=4)?),
            21..=23 => Event::Fire(self.bytes.int_in_range(0..=SIGNALS - 1)?),
            24 | 25 => Event::Wake(self.bytes.int_in_range(0..=6)?),
            26 => Event::Fail(self.bytes.int_in_range(0..=6)?),
            27 => Event::Resume(slot(self.bytes)?),
            28 => Event::Defer(slot(self.bytes)?),
            29 => Event::Delay(slot(self.bytes)?, self.bytes.int_in_range(0..=5)?),
            30 => Event::Cancel(slot(self.bytes)?),
            31 => Event::Watch(slot(self.bytes)?),
            32 => Event::Unwatch(slot(self.bytes)?),
            33 => Event::Timer(self.bytes.int_in_range(0..=5)?),
            34 => Event::DropTimer(self.bytes.int_in_range(0..=3)?),
            _ if self.bytes.ratio(1, 4)? => Event::Clear,
            _ => Event::Turn(300),
        })
    }

    fn body(&mut self, depth: usize) -> Result<Body> {
        let id = self.id();
        let most = if depth < 3 { 6 } else { 1 };
        let mut steps = Vec::new();
        for _ in 0..self.bytes.int_in_range(1..=most)? {
            let does = self.step(depth)?;
            if let Does::Compute = does {
                // Repeated, to reach the time limit.
                for _ in 0..self.bytes.int_in_range(0..=2)? {
                    steps.push(Step { id: self.id(), does: Does::Compute });
                }
            }
            steps.push(Step { id: self.id(), does });
        }
        Ok(Body { id, steps })
    }

    fn step(&mut self, depth: usize) -> Result<Does> {
        let slot = self.bytes.int_in_range(0..=SLOTS - 1)?;
        let most = if depth < 3 { 34 } else { 22u8 };
        Ok(match self.bytes.int_in_range(0..=most)? {
            0..=2 => Does::Wait(self.bytes.int_in_range(0..=4)?),
            3 | 4 => Does::Yield,
            5 | 6 => Does::Park,
            7 | 8 => Does::WaitFor(slot % SIGNALS),
            9..=12 => Does::Again(self.how()?, slot),
            13 => Does::Cancel(slot),
            14 => Does::Close(slot),
            15 => Does::Disconnect(slot),
            16 => Does::Fail,
            17 | 18 => Does::Compute,
            19 => Does::Name(slot),
            20 => Does::Status(slot),
            21 => Does::Fire(slot % SIGNALS),
            22 => Does::End(slot),
            23..=29 => Does::Begin(self.how()?, self.body(depth + 1)?, slot),
            30..=32 => {
                let (signal, once) = (slot % SIGNALS, self.bytes.arbitrary()?);
                Does::Connect { signal, once, body: self.body(depth + 1)?, slot }
            }
            _ => Does::Try(self.body(depth + 1)?),
        })
    }

    fn how(&mut self) -> Result<How> {
        Ok(match self.bytes.int_in_range(0..=3u8)? {
            0 => How::Spawn,
            1 => How::Defer,
            2 => How::Delay(self.bytes.int_in_range(0..=5)?),
            _ => How::Plain,
        })
    }
}

impl Body {
    /// Returns the function's source.
    pub(super) fn source(&self) -> String {
        let mut source = format!("note({}, ...)\n", self.id);
        for step in &self.steps {
            let Step { id, does } = step;
            step.does.write(*id, &mut source).unwrap_or_else(|_| panic!("{does:?}"));
        }
        source
    }

    fn function(&self) -> String {
        format!("function(...)\n{}end", self.source())
    }
}

impl Does {
    fn write(&self, id: usize, source: &mut String) -> std::fmt::Result {
        let seconds = |ticks: &u32| f64::from(*ticks) / 64.0;
        match self {
            Self::Wait(ticks) => writeln!(source, "note({id}, task.wait({}))", seconds(ticks)),
            Self::Yield => writeln!(source, "note({id}, coroutine.yield())"),
            Self::Park => writeln!(source, "note({id}, park())"),
            Self::WaitFor(signal) => writeln!(source, "note({id}, signal{signal}:Wait())"),
            Self::Begin(how, body, slot) => {
                let function = body.function();
                match how {
                    How::Spawn => writeln!(source, "deeper() threads[{slot}] = higher(task.spawn({function}, {id}))"),
                    How::Defer => writeln!(source, "threads[{slot}] = task.defer({function}, {id})"),
                    How::Delay(ticks) => {
                        writeln!(source, "threads[{slot}] = task.delay({}, {function}, {id})", seconds(ticks))
                    }
                    How::Plain => writeln!(source, "threads[{slot}] = coroutine.create({function})"),
                }?;
                writeln!(source, "note({id})")
            }
            Self::Again(how, slot) => match how {
                How::Spawn => {
                    writeln!(source, "deeper() note({id}, (higher(pcall(task.spawn, threads[{slot}], {id}))))")
                }
                How::Defer => writeln!(source, "note({id}, (pcall(task.defer, threads[{slot}], {id})))"),
                How::Delay(ticks) => {
                    writeln!(source, "note({id}, (pcall(task.delay, {}, threads[{slot}], {id})))", seconds(ticks))
                }
                How::Plain => writeln!(
                    source,
                    "if threads[{slot}] then deeper() note({id}, higher(coroutine.resume(threads[{slot}], {id})))
                     else note({id}) end"
                ),
            },
            Self::Cancel(slot) => writeln!(source, "note({id}, (pcall(task.cancel, threads[{slot}])))"),
            Self::Close(slot) => writeln!(source, "note({id}, (pcall(coroutine.close, threads[{slot}])))"),
            Self::Connect { signal, once, body, slot } => {
                let method = if *once { "Once" } else { "Connect" };
                writeln!(source, "connections[{slot}] = signal{signal}:{method}({}) note({id})", body.function())
            }
            Self::Disconnect(slot) => writeln!(
                source,
                "if connections[{slot}] then
                     local was = connections[{slot}].Connected
                     connections[{slot}]:Disconnect()
                     note({id}, was, connections[{slot}].Connected)
                 else note({id}) end"
            ),
            Self::Try(body) => writeln!(source, "note({id}, pcall({}))", body.function()),
            Self::Fail => writeln!(source, "do error('failed {id}') end"),
            // The loops are longer than the interval between two looks at the clock. A slice begins with the first
            // look, so one loop precedes the computation.
            Self::Compute => {
                writeln!(source, "for _ = 1, 200 do end if compute() then for _ = 1, 8000 do end end note({id})")
            }
            Self::Name(slot) => writeln!(source, "threads[{slot}] = coroutine.running() note({id})"),
            Self::Status(slot) => {
                writeln!(source, "note({id}, threads[{slot}] and coroutine.status(threads[{slot}]))")
            }
            Self::Fire(signal) => writeln!(source, "fire({signal}, {id}) note({id})"),
            Self::End(slot) => writeln!(source, "if threads[{slot}] then finish(threads[{slot}]) end note({id})"),
        }
    }
}
