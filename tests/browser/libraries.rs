//! The libraries in a custom `Lua`: a crate that uses mlua gets `task`, `websocket` and `json` with one call.

use std::cell::RefCell;
use std::rc::Rc;

use luau_websocket::Libraries;
use luau_websocket::function::{Callee, FunctionBuilder};
use luau_websocket::websocket::Limits;
use mlua::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::clock::StoppedClock;
use crate::page::{SERVER, server_connections, sleep};

/// A `Lua` with the libraries, and a list of what its scripts log.
struct World {
    lua: Lua,
    libraries: Option<Libraries>,
    log: Rc<RefCell<Vec<String>>>,
}

impl World {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        cxx_runtime::init();
        let lua = Lua::new();
        let log: Rc<RefCell<Vec<String>>> = Rc::default();
        let (of_errors, of_warnings, of_log) = (log.clone(), log.clone(), log.clone());
        let on_error = move |error: &luau_websocket::error::ScriptError| {
            of_errors.borrow_mut().push(format!("error: {}", error.message));
        };
        let warn = move |text: &str| of_warnings.borrow_mut().push(format!("warning: {text}"));
        let libraries = Libraries::install(&lua, limits, on_error, warn).unwrap();
        let write = lua.create_function(move |_, values: LuaVariadic<LuaValue>| {
            let texts: Vec<String> = values.iter().map(|value| value.to_string().unwrap()).collect();
            of_log.borrow_mut().push(texts.join(" "));
            Ok(())
        });
        lua.globals().set("log", write.unwrap()).unwrap();
        lua.sandbox(true).unwrap();
        Self { lua, libraries: Some(libraries), log }
    }

    fn libraries(&self) -> &Libraries {
        self.libraries.as_ref().unwrap()
    }

    fn start(&self, source: &str) {
        let source = source.replace("SERVER", SERVER);
        let function = self.lua.load(source).set_name("=script").into_function().unwrap();
        self.libraries().spawn(&self.lua, function, ()).unwrap();
    }

    /// Runs a script and what it has started, and returns what was logged.
    async fn run(&self, source: &str) -> Vec<String> {
        self.start(source);
        while !self.libraries().is_idle() {
            sleep(0.01).await;
        }
        self.log.take()
    }
}

#[wasm_bindgen_test]
async fn scripts_connect_wait_and_listen() {
    let world = World::new();
    let log = world
        .run(
            "local connection = assert(websocket.connect('ws://SERVER/echo'))
             connection.OnMessage:Connect(function(text)
                 log(json.decode(text).answer)
                 connection:Close()
             end)
             connection.OnClose:Connect(log)
             task.wait(0.01)
             connection:Send(json.encode({ answer = 42 }))",
        )
        .await;
    assert_eq!(log, ["42", "1000  true"]);
}

#[wasm_bindgen_test]
async fn a_thread_runs_up_to_its_first_wait_before_spawn_returns() {
    let world = World::new();
    world.start("log('begun') task.wait() log('ended')");
    assert_eq!(world.log.take(), ["begun"]);
    assert_eq!(world.run("").await, ["ended"]);
    assert_eq!(world.run("log(pcall(function() return task.wait() > 0 end))").await, ["true true"]);
}

#[wasm_bindgen_test]
async fn errors_and_warnings_have_somebody_who_takes_them() {
    let world = World::with_limits(Limits { messages: 1, ..Limits::default() });
    assert_eq!(world.run("task.wait() error('oops')").await, ["error: script:1: oops"]);
    let log = world
        .run(
            "local connection = websocket.connect('ws://SERVER/burst?count=3')
             repeat task.wait() until connection.Dropped == 2
             log(connection.Dropped)
             connection:Close()",
        )
        .await;
    assert!(
        log.first().is_some_and(|line| line.starts_with("warning: dropping the oldest messages of ws://")),
        "{log:?}"
    );
    assert_eq!(log[1..], ["2"]);
}

#[wasm_bindgen_test]
async fn functions_of_ones_own_can_wait() {
    let world = World::new();
    let scheduler = world.libraries().scheduler().clone();
    let builder = FunctionBuilder::new(&world.lua, &scheduler).unwrap();
    let pause = builder.yielding(&world.lua, Callee::Function("pause"), move |lua, _| {
        scheduler.sleep(lua, 20.0);
        Ok(())
    });
    let function = world.lua.load("local pause = ... log(pause() > 0.01)").into_function().unwrap();
    world.libraries().spawn(&world.lua, function, pause.unwrap()).unwrap();
    assert_eq!(world.run("").await, ["true"]);
}

#[wasm_bindgen_test]
async fn dropping_them_closes_sockets_and_ends_threads() {
    let mut world = World::new();
    world.start(
        "local connection = assert(websocket.connect('ws://SERVER/echo'))
         connection.OnClose:Connect(log)
         task.delay(60, log, 'never')",
    );
    assert_eq!(server_connections(1).await, 1);
    world.libraries = None;
    assert_eq!(server_connections(0).await, 0);
    // Nothing may happen when the timer would be due, and no event would show that.
    StoppedClock::new().advance(60.0);
    sleep(0.05).await;
    assert_eq!(world.log.take(), [""; 0]);
}
