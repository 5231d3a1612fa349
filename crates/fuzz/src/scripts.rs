//! Runs whole scripts: calls of every function, in any order and with any arguments, under every limit.
//!
//! The results are not predicted. But whatever a script did, nothing may panic, the VM must run a simple script
//! afterwards, and once everything was cleared, all counts must be zero, nothing of the script may be left, and its
//! memory must be free.

mod grammar;
mod network;

use std::rc::Rc;

use arbitrary::{Result, Unstructured};
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::function::FunctionBuilder;
use luau_runtime::limits::set_memory_limit;
use luau_runtime::scheduler::{Counts, Limits, Next};
use luau_runtime::signal::Signal;
use luau_runtime::websocket;
use mlua::prelude::*;

use self::network::Network;
use luau_runtime::testing::World;

/// Limits in milliseconds, of a clock that advances by `TICK` at each look.
const LIMITS: Limits = Limits { slice: 8.0, limit: 200.0 };
const TICK: f64 = 3.0;

/// The memory limit of a script, in bytes. The VM itself uses less than a tenth.
const MEMORY: usize = 8 << 20;

/// The memory that may remain used: tables of Luau and mlua that grow and never shrink.
const STAYS: usize = 256 << 10;

/// Runs one case.
pub fn run(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let stage = Stage::new();
    // The case ends where the input ends.
    let _ = stage.play(&mut bytes);
    stage.check_end();
}

struct Stage {
    world: World,
    network: Network,
    signals: [Signal; 2],
    /// A value that scripts pass around.
    probe: Rc<()>,
    used_before: usize,
    globals_before: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let (lua, network) = (&world.lua, Network::new(&world.scheduler));
        // Scripts cannot change existing globals, so the library is added before the sandbox.
        lua.sandbox(false).unwrap();
        let builder = FunctionBuilder::new(lua, &world.scheduler).unwrap();
        websocket::install(lua, &builder, &network.sockets).unwrap();
        let nothing = lua.create_function(|_, _: LuaMultiValue| Ok(())).unwrap();
        lua.globals().set("log", nothing).unwrap();
        lua.sandbox(true).unwrap();
        let signals = ["signal0", "signal1"].map(|name| world.signal(name));
        world.limit(TICK, LIMITS);
        set_memory_limit(lua, MEMORY).unwrap();

        let globals = lua.globals();
        let globals_before = globals.pairs::<String, LuaValue>().map(|pair| pair.unwrap().0).collect();
        lua.gc_collect().unwrap();
        let used_before = lua.used_memory();
        let probe = Rc::new(());
        globals.set("probe", lua.create_any_userdata(probe.clone()).unwrap()).unwrap();
        Self { world, network, signals, probe, used_before, globals_before }
    }

    fn play(&self, bytes: &mut Unstructured) -> Result<()> {
        self.start(grammar::OPENING);
        self.turn(100);
        self.network.open_all();
        self.turn(100);
        for _ in 0..bytes.int_in_range(1..=4)? {
            self.start(&grammar::script(bytes)?);
            for _ in 0..bytes.int_in_range(1..=12)? {
                self.happen(bytes)?;
            }
        }
        Ok(())
    }

    fn start(&self, source: &str) {
        // A script that nests too deep for the compiler, or has too many locals, is skipped. That is not a fault.
        let Ok(function) = self.world.lua.load(source).set_name("=script").into_function() else { return };
        let Ok(thread) = self.world.lua.create_thread(function) else { return };
        self.world.scheduler.resume(thread, LuaMultiValue::new());
    }

    fn happen(&self, bytes: &mut Unstructured) -> Result<()> {
        let (lua, scheduler) = (&self.world.lua, &self.world.scheduler);
        match bytes.int_in_range(0..=11u8)? {
            0..=3 => self.turn(bytes.int_in_range(1..=30)?),
            4 | 5 => self.world.jump_to(scheduler.now() + f64::from(bytes.arbitrary::<u16>()?)),
            6 => {
                let (signal, probe) = (bytes.choose(&self.signals)?.clone(), self.probe.clone());
                scheduler.dispatch(move |lua| {
                    if let Ok(values) = lua.create_any_userdata(probe).and_then(|probe| (probe, 1).into_lua_multi(lua))
                    {
                        signal.fire(values);
                    }
                });
            }
            7..=9 => self.network.happen(bytes)?,
            10 => lua.gc_collect().unwrap(),
            _ if bytes.ratio(1, 4)? => self.clear(),
            _ => self.turn(300),
        }
        Ok(())
    }

    fn turn(&self, most: u32) {
        let mut left = most;
        for _ in 0..most {
            let next = self.world.turn_until(|| {
                left = left.saturating_sub(1);
                left == 0
            });
            if next != Next::Now || left == 0 {
                break;
            }
        }
        drop(self.world.whole_errors());
    }

    fn clear(&self) {
        self.world.scheduler.clear(&self.world.lua, &ScriptError::new(Kind::Cancelled, "stopped"));
        self.network.sockets.close_all();
    }

    fn check_end(self) {
        let lua = &self.world.lua;
        self.turn(100);
        self.clear();
        assert_eq!(self.world.scheduler.counts(), Counts::default());
        assert_eq!(self.network.sockets.count(), 0);
        for signal in &self.signals {
            signal.end();
        }
        self.turn(10_000);
        assert!(self.world.scheduler.is_idle(), "no job is left");

        let globals = lua.globals();
        let names: Vec<LuaValue> = globals.pairs::<LuaValue, LuaValue>().map(|pair| pair.unwrap().0).collect();
        for name in names {
            if name.as_string().is_none_or(|name| !self.globals_before.iter().any(|before| name == before)) {
                globals.set(name, LuaNil).unwrap();
            }
        }
        // The second collection frees what the first one finalizes.
        lua.gc_collect().unwrap();
        lua.gc_collect().unwrap();
        self.network.check_end();
        assert_eq!(Rc::strong_count(&self.probe), 1, "something of the script is still alive");
        let used = lua.used_memory();
        assert!(used < self.used_before + STAYS, "{} bytes are still used, {} before", used, self.used_before);

        self.world.limit(0.0, LIMITS);
        self.start(
            "local list = {}
             for i = 1, 3 do list[i] = task.wait(0.1) > 0 and coroutine.wrap(function() coroutine.yield(i) end)() end
             result = json.encode({ list, pcall(error, 'x') })",
        );
        self.world.pass_to(self.world.scheduler.now() + 10_000.0);
        assert_eq!(self.world.errors(), [""; 0]);
        assert_eq!(globals.get::<String>("result").unwrap(), r#"[[1,2,3],false,"x"]"#);
    }
}
