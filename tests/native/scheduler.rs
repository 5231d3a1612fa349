//! The scheduler reports when to come back, keeps its order, and forgets what nothing waits for.

use std::cell::Cell;
use std::rc::Rc;

use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::scheduler::Next;

use luau_runtime::testing::World;

#[test]
fn with_nothing_to_do_it_is_idle() {
    assert_eq!(World::new().turn(), Next::Idle);
}

#[test]
fn it_names_the_time_of_the_next_timer() {
    let world = World::new();
    world.start("task.delay(3, log) task.delay(2, log)");
    assert_eq!(world.turn(), Next::At(2_000.0));
}

#[test]
fn a_timer_never_runs_early() {
    let world = World::new();
    world.start("task.delay(1, log, 'ran')");
    world.turn();
    world.jump_to(999.999);
    assert_eq!(world.turn(), Next::At(1_000.0));
    assert!(world.log().is_empty());
    world.jump_to(1_000.0);
    world.turn();
    assert_eq!(world.log(), ["ran"]);
}

#[test]
fn timers_run_by_time_and_equal_ones_by_call() {
    let world = World::new();
    world.run(
        "task.delay(0.2, log, 'c') task.delay(0.1, log, 'a') task.delay(0.1, log, 'b')
         task.spawn(function() task.wait(0.2) log('d') end)",
    );
    assert_eq!(world.log(), ["a", "b", "c", "d"]);
}

#[test]
fn a_page_that_was_busy_gets_all_that_is_due_in_order() {
    let world = World::new();
    world.start("for i = 5, 1, -1 do task.delay(i, log, i) end");
    world.turn();
    world.jump_to(60_000.0);
    world.turn();
    assert_eq!(world.log(), ["1", "2", "3", "4", "5"]);
}

#[test]
fn out_of_time_it_asks_to_come_back_and_goes_on_where_it_was() {
    let world = World::new();
    world.start("for i = 1, 3 do task.defer(log, i) end");
    let mut turns = 0;
    while world.scheduler.turn(&world.lua, None, |_| true) == Next::Now {
        turns += 1;
    }
    assert_eq!(turns, 3);
    assert_eq!(world.log(), ["1", "2", "3"]);
}

#[test]
fn a_task_that_defers_itself_forever_starves_neither_the_page_nor_timers() {
    let world = World::new();
    world.start(
        "local function again() task.defer(again) end again()
         task.delay(0.05, log, 'timer')",
    );
    for time in 0..100 {
        world.jump_to(f64::from(time));
        let mut steps = 0;
        let next = world.scheduler.turn(&world.lua, None, |_| {
            steps += 1;
            steps == 10
        });
        assert_eq!(next, Next::Now);
    }
    assert_eq!(world.log(), ["timer"]);
}

#[test]
fn a_cancelled_timer_leaves_nothing_to_wait_for() {
    let world = World::new();
    world.start(
        "task.cancel(task.delay(3600, log))
         local sleeper = task.spawn(function() task.wait(3600) end)
         task.cancel(sleeper)
         local closed = task.spawn(function() task.wait(3600) end)
         coroutine.close(closed)",
    );
    assert_eq!(world.turn(), Next::Idle);
}

#[test]
fn a_thread_resumed_by_hand_is_not_woken_again_by_what_it_waited_for() {
    let world = World::new();
    world.start(
        "local waiter = task.spawn(function() log('got', task.wait(1)) task.wait(5) log('end') end)
         coroutine.resume(waiter, 'by hand')",
    );
    assert_eq!(world.turn(), Next::At(5_000.0));
    world.pass_to(1_500.0);
    assert_eq!(world.log(), ["got by hand"]);
    world.pass_to(6_000.0);
    assert_eq!(world.log(), ["end"]);
}

#[test]
fn errors_come_with_their_place_and_the_value_that_was_thrown() {
    let world = World::new();
    world.run(
        "local function deep() error({ code = 7 }) end
         task.defer(function() task.wait(0.1)
             deep()
         end)",
    );
    let errors = world.whole_errors();
    let [error] = errors.as_slice() else { panic!("one error, not {errors:?}") };
    let code: i32 = error.value.as_table().unwrap().get("code").unwrap();
    assert_eq!(code, 7);
    assert_eq!(error.traceback(), "script:1 function deep\nscript:3\n");
}

#[test]
fn a_watch_is_for_one_thread_and_not_for_another_at_its_address() {
    let world = World::new();
    let cancelled = Rc::new(Cell::new(false));
    let of_watch = cancelled.clone();
    let thread = world.start("coroutine.yield()");
    world.scheduler.await_end(&thread, None, Box::new(move |_| of_watch.set(true)));
    world.turn();
    drop(thread);
    world.lua.gc_collect().unwrap();
    world.run("for i = 1, 1000 do task.cancel(coroutine.create(function() end)) end");
    assert!(!cancelled.get());
}

#[test]
fn clearing_gives_everything_back_and_runs_nothing_more() {
    let world = World::new();
    world.start("task.delay(1, log, 'never') task.wait(2) log('never')");
    world.start(
        "threads = { task.spawn(task.wait, 5), task.delay(5, log), coroutine.create(log) }
         waiting = coroutine.running()
         coroutine.yield()",
    );
    world.turn();
    world.scheduler.clear(&world.lua, &ScriptError::new(Kind::Cancelled, "stopped"));
    assert_eq!(world.pass_to(10_000.0), Next::Idle);
    assert!(world.log().is_empty());
    // A thread that the scheduler never had belongs to the script.
    world.run("for _, thread in threads do log(coroutine.status(thread)) end");
    assert_eq!(world.log(), ["dead", "dead", "suspended"]);
}

#[test]
fn what_a_cut_cycle_deferred_comes_before_what_happens_next() {
    let world = World::new();
    let signal = world.signal("event");
    world.start("event:Connect(function(name) log(name) end)");
    world.turn();
    world.start(
        "task.defer(log, 'deferred')
         task.defer(function() task.defer(log, 'deferred by that') end)
         log('waited', task.wait() ~= nil)",
    );
    // The host takes its turn after each thread. Meanwhile a timer becomes due and an event arrives.
    world.scheduler.turn(&world.lua, None, |_| true);
    world.jump_to(100.0);
    let values = mlua::IntoLuaMulti::into_lua_multi("event", &world.lua).unwrap();
    world.scheduler.dispatch(move |_| signal.fire(values));
    while world.scheduler.turn(&world.lua, None, |_| true) == Next::Now {}
    assert_eq!(world.log(), ["deferred", "event", "waited true", "deferred by that"]);
    assert_eq!(world.errors(), [""; 0]);
}
