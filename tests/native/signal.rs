//! Signals follow Roblox's `RBXScriptSignal`.

use mlua::IntoLuaMulti;

use luau_runtime::testing::World;

#[test]
fn handlers_run_in_the_order_in_which_they_were_connected() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run("for i = 1, 3 do signal:Connect(function(...) log(i, ...) end) end");
    world.fire(&signal, ("x", true));
    assert_eq!(world.log(), ["1 x true", "2 x true", "3 x true"]);
}

#[test]
fn one_event_is_done_before_the_next() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run("for i = 1, 2 do signal:Connect(function(event) log(i, event) end) end");
    for event in [1, 2] {
        let (signal, values) = (signal.clone(), event.into_lua_multi(&world.lua).unwrap());
        world.scheduler.dispatch(move |_| signal.fire(values));
    }
    world.turn();
    assert_eq!(world.log(), ["1 1", "2 1", "1 2", "2 2"]);
}

#[test]
fn a_handler_may_yield_and_fail_and_the_others_do_not_notice() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run(
        "signal:Connect(function() task.wait(1) log('late') end)
         signal:Connect(function() error('oops') end)
         signal:Connect(function() log('last') end)",
    );
    world.fire(&signal, ());
    assert_eq!(world.log(), ["last"]);
    assert_eq!(world.errors(), ["script:2: oops"]);
    world.pass_to(2e9);
    assert_eq!(world.log(), ["late"]);
}

#[test]
fn a_handler_disconnected_before_its_turn_does_not_run() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run(
        "local second
         signal:Connect(function() log('first') second:Disconnect() end)
         second = signal:Connect(function() log('never') end)",
    );
    world.fire(&signal, ());
    assert_eq!(world.log(), ["first"]);
}

#[test]
fn a_handler_connected_during_an_event_waits_for_the_next() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run("signal:Once(function() signal:Connect(function(event) log(event) end) end)");
    world.fire(&signal, 1);
    assert!(world.log().is_empty());
    world.fire(&signal, 2);
    assert_eq!(world.log(), ["2"]);
}

#[test]
fn once_disconnects_before_it_calls() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run("local c c = signal:Once(function() log(c.Connected) end) log(c.Connected)");
    world.fire(&signal, ());
    world.fire(&signal, ());
    assert_eq!(world.log(), ["true", "false"]);
}

#[test]
fn disconnecting_is_idempotent_and_shows() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run(
        "local c = signal:Connect(function() log('never') end)
         log(typeof(signal), typeof(c), c.Connected) c:Disconnect() c:Disconnect() log(c.Connected)",
    );
    world.fire(&signal, ());
    assert_eq!(world.log(), ["Signal Connection true", "false"]);
    assert!(!signal.has_consumer());
}

#[test]
fn wait_resumes_once_with_the_event() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run("task.spawn(function() log(signal:Wait()) end)");
    world.fire(&signal, (1, "two", mlua::Value::Nil));
    world.fire(&signal, 2);
    assert_eq!(world.log(), ["1 two nil"]);
}

#[test]
fn a_waiter_that_is_gone_is_skipped() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run(
        "task.cancel(task.spawn(function() signal:Wait() log('never') end))
         coroutine.resume(task.spawn(function() log(signal:Wait()) end), 'by hand')
         task.spawn(function() log(signal:Wait()) end)",
    );
    world.fire(&signal, "event");
    assert_eq!(world.log(), ["by hand", "event"]);
    assert!(!signal.has_consumer());
}

#[test]
fn methods_can_be_read_as_fields_and_say_when_the_colon_is_missing() {
    let world = World::new();
    let _signal = world.signal("signal");
    world.run("log(type(signal.Connect), type(signal.Once), type(signal.Wait)) signal.Connect(log)");
    assert_eq!(world.log(), ["function function function"]);
    assert_eq!(world.errors(), ["script:1: expected ':' not '.' calling member function 'Connect' of a Signal"]);
}

#[test]
fn a_member_that_a_signal_does_not_have_is_an_error_that_names_it() {
    let world = World::new();
    let _signal = world.signal("signal");
    world.run("log(signal.connect)");
    world.run("signal.Connect = log");
    assert_eq!(
        world.errors(),
        [
            "script:1: connect is not a member of Signal; did you mean Connect?",
            "script:1: Connect of Signal cannot be set"
        ]
    );
}

#[test]
fn a_signal_fired_a_hundred_thousand_times_makes_no_thread_for_each() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run("count = 0 signal:Connect(function() count += 1 end) task.spawn(function() signal:Wait() end)");
    for _ in 0..100 {
        world.fire(&signal, ());
    }
    world.lua.gc_collect().unwrap();
    let before = world.lua.used_memory();
    world.lua.gc_stop();
    for _ in 0..100_000 {
        world.fire(&signal, ());
    }
    // A thread takes about a kilobyte: without reuse this would be a hundred megabytes.
    let grown = world.lua.used_memory() - before;
    assert!(grown < 40_000_000, "{grown} bytes");
}

#[test]
fn a_thread_that_a_script_holds_is_not_used_again() {
    let world = World::new();
    let signal = world.signal("signal");
    world.run(
        "local first
         signal:Connect(function()
             first = first or coroutine.running()
             log(first == coroutine.running(), coroutine.status(first))
         end)",
    );
    world.fire(&signal, ());
    world.fire(&signal, ());
    assert_eq!(world.log(), ["true running", "false dead"]);
}
