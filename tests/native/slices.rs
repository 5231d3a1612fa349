//! A thread that does not wait is interrupted: to give the host its turn, and for good when it runs too long.

use luau_runtime::error::Kind;
use luau_runtime::scheduler::{Limits, Next};

use luau_runtime::testing::World;

const SLICES: Limits = Limits { slice: 8.0, limit: f64::INFINITY };
const LIMIT: Limits = Limits { slice: f64::INFINITY, limit: 1_000.0 };

/// Turns until nothing is left, and returns the number of turns.
fn turns(world: &World) -> usize {
    let mut count = 1;
    while world.turn() == Next::Now {
        count += 1;
        assert!(count < 1_000_000, "it never ends");
    }
    count
}

#[test]
fn a_long_loop_is_cut_into_slices_and_goes_on_where_it_was() {
    let world = World::new();
    world.limit(1.0, SLICES);
    world.start("local sum = 0 for i = 1, 100000 do sum += i end log(sum)");
    assert!(turns(&world) > 10);
    assert_eq!(world.log(), ["5000050000"]);
    assert_eq!(world.errors(), [""; 0]);
}

#[test]
fn no_other_thread_runs_between_the_slices_of_one() {
    let world = World::new();
    world.limit(1.0, SLICES);
    world.start("log('a') for i = 1, 100000 do end log('b')");
    world.start("log('c') for i = 1, 100000 do end log('d')");
    turns(&world);
    assert_eq!(world.log(), ["a", "b", "c", "d"]);
}

#[test]
fn a_generator_never_yields_behind_the_back_of_who_resumed_it() {
    let world = World::new();
    world.limit(1.0, SLICES);
    world.start(
        "local next = coroutine.wrap(function()
             for i = 1, 100 do for j = 1, 5000 do end coroutine.yield(i) end
         end)
         local sum = 0
         for i = 1, 100 do sum += assert(next()) end
         log(sum)",
    );
    assert!(turns(&world) > 10);
    assert_eq!(world.log(), ["5050"]);
}

/// Returns what `source` logs with slices, of which it must take a minimum number, and checks that it logs the same
/// without.
fn sliced(source: &str, at_least: usize) -> Vec<String> {
    let world = World::new();
    world.limit(1.0, SLICES);
    world.start(source);
    let count = turns(&world);
    assert!(count > at_least, "{source}: {count} turns");
    world.pass_to(1e9);
    assert_eq!(world.errors(), [""; 0], "{source}");
    let log = world.log();
    assert_eq!(log, World::logged(source), "{source}");
    log
}

#[test]
fn coroutines_at_any_depth_are_cut_into_slices() {
    let log = sliced(
        "local function busy(n) local sum = 0 for i = 1, n do sum += i end return sum end
         log(coroutine.wrap(busy)(50000))
         log(coroutine.resume(coroutine.create(busy), 50000))
         log(pcall(coroutine.wrap(function() return pcall(coroutine.wrap(busy), 50000) end)))
         local function nest(depth) return if depth == 0 then busy(50000) else coroutine.wrap(nest)(depth - 1) end
         log(nest(100))
         local thread = task.spawn(function() log(busy(50000)) task.wait(1) log('woke') end)
         log(coroutine.status(thread))
         for value in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(busy(10000) + i) end end) do log(value) end",
        100,
    );
    let sum = "1250025000";
    let ok = format!("true {sum}");
    let through = format!("true {ok}");
    assert_eq!(log[..6], [sum, &ok, &through, sum, sum, "suspended"]);
    assert_eq!(log[6..], ["50005001", "50005002", "50005003", "woke"]);
}

#[test]
fn what_a_sliced_coroutine_comes_back_with_arrives() {
    let log = sliced(
        "local function busy() for i = 1, 30000 do end end
         local function fail(value) busy() error(value) end
         log(coroutine.resume(coroutine.create(fail), 'text'))
         log(select('#', coroutine.resume(coroutine.create(function(...) busy() return ... end), nil, nil)))
         log(pcall(coroutine.wrap(fail), 'wrapped'))
         log(xpcall(coroutine.wrap(fail), function(message) busy() return 'handled ' .. message end, 'x'))
         local outer
         local inner = coroutine.create(function(...)
             busy() log(coroutine.status(outer), coroutine.status(coroutine.running()), coroutine.isyieldable())
             log(pcall(coroutine.close, outer))
             log(coroutine.resume(outer))
             log(coroutine.yield(...)) busy() return 'end'
         end)
         outer = coroutine.create(function()
             log(coroutine.resume(inner, 1, 2)) busy() log(coroutine.resume(inner, 3)) log(coroutine.resume(inner))
             return coroutine.status(inner)
         end)
         log(coroutine.resume(outer))",
        50,
    );
    assert_eq!(
        log,
        [
            "false script:2: text",
            "3",
            "false script:2: wrapped",
            "false handled script:2: x",
            "normal running true",
            "false cannot close normal coroutine",
            "false cannot resume normal coroutine",
            "true 1 2",
            "3",
            "true end",
            "false cannot resume dead coroutine",
            "true dead",
        ]
    );
}

#[test]
fn a_coroutine_inside_of_a_call_into_c_waits_for_its_end() {
    sliced(
        "local function busy(n) for i = 1, n do end return n end
         local list = {} for i = 1, 200 do list[i] = (i * 7919) % 200 end
         table.sort(list, function(a, b) coroutine.wrap(busy)(200) return a < b end)
         local sum = 0
         for round = 1, 20 do
             coroutine.wrap(function()
                 local object = setmetatable({}, { __index = function(_, key) return coroutine.wrap(busy)(key) end })
                 sum += object[5000]
                 busy(5000)
             end)()
         end
         log(list[1], list[200], sum)",
        10,
    );
}

#[test]
fn who_is_cancelled_between_slices_takes_along_what_it_had_resumed() {
    let world = World::new();
    world.limit(1.0, SLICES);
    let thread = world.start(
        "inner = coroutine.create(function() while true do end end)
         log(coroutine.resume(inner))",
    );
    assert_eq!(world.turn(), Next::Now);
    world.scheduler.cancel(&world.lua, &thread, "enough");
    assert_eq!(turns(&world), 1);
    assert!(world.log().is_empty());
    assert_eq!(world.scheduler.counts().threads, 0);
    world.lua.gc_collect().unwrap();
}

#[test]
fn the_vm_may_go_between_slices() {
    let world = World::new();
    world.limit(1.0, SLICES);
    world.start("local f = coroutine.wrap(function() while true do end end) while true do f() end");
    assert_eq!(world.turn(), Next::Now);
    let error = luau_runtime::error::ScriptError::new(Kind::Disposed, "gone");
    world.scheduler.clear(&world.lua, &error);
    assert_eq!(turns(&world), 1);
    world.lua.gc_collect().unwrap();
    world.run("log('alive')");
    assert_eq!(world.log(), ["alive"]);
}

#[test]
fn slices_pass_through_pcall_and_not_through_c() {
    let world = World::new();
    world.limit(1.0, SLICES);
    world.start(
        "local ok, sum = pcall(function() local sum = 0 for i = 1, 50000 do sum += i end return sum end)
         local list = {} for i = 1, 2000 do list[i] = (i * 7919) % 2000 end
         table.sort(list, function(a, b) for i = 1, 20 do end return a < b end)
         log(ok, sum, list[1], list[2000])",
    );
    turns(&world);
    assert_eq!(world.log(), ["true 1250025000 0 1999"]);
}

#[test]
fn what_keeps_the_page_from_its_turn_for_too_long_fails() {
    for source in [
        "local t = setmetatable({}, { __index = function() while true do end end }) log(pcall(function() return t.x end))",
        "table.sort(table.create(9, 1), function() while true do end end)",
        "coroutine.wrap(function() string.gsub('x', 'x', coroutine.wrap(function() while true do end end)) end)()",
    ] {
        let world = World::new();
        world.limit(1.0, SLICES);
        world.start(source);
        turns(&world);
        let errors = world.whole_errors();
        let [error] = errors.as_slice() else { panic!("{source}: one error, not {errors:?}") };
        assert_eq!(error.kind, Kind::Timeout, "{source}: {error:?}");
        assert!(
            error.message.starts_with("script:1: timed out: the script blocked the event loop for 5 s"),
            "{source}: {error:?}"
        );
        assert!(world.log().is_empty(), "{source}");
        world.run("log('alive')");
        assert_eq!(world.log(), ["alive"], "{source}");
    }
}

#[test]
fn past_the_limit_a_thread_fails_whatever_it_catches() {
    for source in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "pcall(function() while true do end end) log('survived')",
        "coroutine.wrap(function() while true do end end)()",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "table.sort(table.create(9, 1), function() while true do end end)",
        "string.gsub('x', 'x', function() while true do end end)",
        "local t = setmetatable({}, { __index = function() while true do end end }) log(t.x)",
        "xpcall(function() while true do end end, function() while true do end end)",
        "for _ in function() while true do end end do end",
        "local function f() return f() end f()  while true do end",
    ] {
        let world = World::new();
        world.limit(1.0, LIMIT);
        world.start(source);
        turns(&world);
        let errors = world.whole_errors();
        let [error] = errors.as_slice() else { panic!("{source}: one error, not {errors:?}") };
        let is_overflow = error.message.contains("stack overflow");
        assert!(error.kind == Kind::Timeout || is_overflow, "{source}: {error:?}");
        assert!(is_overflow || error.message.starts_with("script:1: timed out"), "{source}: {error:?}");
        assert!(world.log().is_empty(), "{source}");
        world.run("log('alive')");
        assert_eq!(world.log(), ["alive"], "{source}");
    }
}

#[test]
fn what_a_turn_does_before_a_thread_does_not_count_against_its_limit() {
    let world = World::new();
    world.limit(1.0, LIMIT);
    let clock = world.clock.clone();
    world.scheduler.dispatch(move |_| clock.set(clock.get() + 5_000.0));
    world.start("for i = 1, 10000 do end log('done')");
    turns(&world);
    assert_eq!(world.errors(), [""; 0]);
    assert_eq!(world.log(), ["done"]);
}

#[test]
fn waiting_begins_the_limit_anew_and_slices_do_not() {
    let world = World::new();
    world.limit(1.0, Limits { slice: 8.0, limit: 100.0 });
    world.start("for i = 1, 50 do for j = 1, 5000 do end task.wait() end log('waited')");
    world.pass_to(1e9);
    assert_eq!(world.errors(), [""; 0]);
    assert_eq!(world.log(), ["waited"]);
    world.start("for i = 1, 50 do for j = 1, 5000 do end end log('did not wait')");
    turns(&world);
    assert_eq!(world.log(), [""; 0]);
    assert_eq!(world.whole_errors()[0].kind, Kind::Timeout);
}

#[test]
fn a_preempted_thread_can_be_cancelled() {
    let world = World::new();
    world.limit(1.0, SLICES);
    let thread = world.start("while true do end");
    assert_eq!(world.turn(), Next::Now);
    world.scheduler.cancel(&world.lua, &thread, "enough");
    assert_eq!(world.turn(), Next::Idle);
    assert!(world.errors().is_empty());
    assert_eq!(world.scheduler.counts().threads, 0);
}
