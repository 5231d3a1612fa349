//! `task` follows Roblox's documentation of the library.

use luau_runtime::scheduler::Next;

use luau_runtime::testing::World;

#[test]
fn spawn_runs_at_once_up_to_the_first_yield() {
    assert_eq!(World::logged("task.spawn(function() log('a') task.wait(1) log('c') end) log('b')"), ["a", "b", "c"]);
}

#[test]
fn defer_runs_at_the_end_of_the_cycle_in_order() {
    assert_eq!(
        World::logged(
            "task.defer(function() log('1') task.defer(log, '3') end)
             task.defer(log, '2')
             log('0')"
        ),
        ["0", "1", "2", "3"]
    );
}

#[test]
fn arguments_keep_their_holes() {
    assert_eq!(
        World::logged(
            "local function count(...) log(select('#', ...), ...) end
             task.spawn(count, nil, 1, nil) task.defer(count, nil, nil) task.delay(0, count, 2, nil)"
        ),
        ["3 nil 1 nil", "2 nil nil", "2 2 nil"]
    );
}

#[test]
fn threads_can_be_given_as_well_as_functions() {
    assert_eq!(
        World::logged(
            "local thread = coroutine.create(function(a) log(a) log(coroutine.yield()) log(coroutine.yield()) end)
             task.spawn(thread, 'spawn') task.defer(thread, 'defer') task.delay(0.1, thread, 'delay')"
        ),
        ["spawn", "defer", "delay"]
    );
}

#[test]
fn all_return_real_threads() {
    assert_eq!(
        World::logged(
            "local function status(thread) log(type(thread), coroutine.status(thread)) end
             status(task.spawn(function() end)) status(task.spawn(task.wait))
             status(task.defer(log)) status(task.delay(1, log))"
        )[..4],
        ["thread dead", "thread suspended", "thread suspended", "thread suspended"]
    );
}

#[test]
fn wait_returns_the_seconds_that_passed() {
    let world = World::new();
    world.start("log(task.wait(1))");
    world.turn();
    world.jump_to(2_500.0);
    world.turn();
    assert_eq!(world.log(), ["2.5"]);
}

#[test]
fn wait_never_takes_less_than_four_milliseconds() {
    assert_eq!(
        World::logged(
            "log(task.wait()) log(task.wait(0)) log(task.wait(-1)) log(task.wait(0/0)) log(task.wait(0.001))"
        ),
        ["0.004"; 5]
    );
}

#[test]
fn an_endless_wait_does_not_end() {
    let world = World::new();
    world.run("task.spawn(function() task.wait(math.huge) log('never') end) task.delay(math.huge, log, 'never')");
    assert!(world.log().is_empty());
}

#[test]
fn a_cancelled_thread_never_runs_again() {
    assert_eq!(
        World::logged(
            "task.cancel(task.defer(log, 'never'))
             task.cancel(task.delay(0.1, log, 'never'))
             local waiter = task.spawn(function() task.wait(0.1) log('never') end)
             task.cancel(waiter) task.cancel(waiter)
             log(coroutine.status(waiter))"
        ),
        ["dead"]
    );
}

#[test]
fn a_thread_may_cancel_another_in_its_own_cycle() {
    assert_eq!(
        World::logged(
            "local second
             task.delay(0.1, function() task.cancel(second) end)
             second = task.delay(0.1, log, 'never')"
        ),
        [""; 0]
    );
}

#[test]
fn an_error_goes_to_the_sink_and_not_to_the_caller() {
    let world = World::new();
    world.run("log(task.spawn(function() error('oops') end) ~= nil) task.defer(error, 'later', 0) log('goes on')");
    assert_eq!(world.log(), ["true", "goes on"]);
    assert_eq!(world.errors(), ["script:1: oops", "later"]);
}

#[test]
fn wrong_arguments_are_errors_in_the_words_of_luaus_library() {
    let failures = [
        ("task.spawn()", "missing argument #1 to 'spawn' (function or thread expected)"),
        ("task.spawn(1)", "invalid argument #1 to 'spawn' (function or thread expected, got number)"),
        ("task.defer('x')", "invalid argument #1 to 'defer' (function or thread expected, got string)"),
        ("task.delay('x')", "invalid argument #1 to 'delay' (number expected, got string)"),
        ("task.delay(1)", "missing argument #2 to 'delay' (function or thread expected)"),
        ("task.wait({})", "invalid argument #1 to 'wait' (number expected, got table)"),
        ("task.cancel(nil)", "invalid argument #1 to 'cancel' (thread expected, got nil)"),
        ("task.cancel(coroutine.running())", "cannot cancel running coroutine"),
        ("local t = task.spawn(function() end) task.spawn(t)", "cannot resume dead coroutine"),
        ("local t = task.spawn(function() end) task.defer(t)", "cannot resume dead coroutine"),
    ];
    for (source, message) in failures {
        let world = World::new();
        world.run(source);
        assert_eq!(world.errors(), [format!("script:1: {message}")], "{source}");
    }
}

#[test]
fn where_no_thread_can_yield_wait_says_so_and_nothing_is_left_behind() {
    let world = World::new();
    world.start("log(pcall(table.sort, { 2, 1 }, function() task.wait(1) end))");
    assert_eq!(world.turn(), Next::Idle);
    assert_eq!(world.log(), ["false script:1: attempt to yield across metamethod/C-call boundary"]);
    assert_eq!(world.errors(), [""; 0]);
}

#[test]
fn wait_works_in_the_iterator_of_a_loop() {
    assert_eq!(
        World::logged(
            "for i in function(_, i) i = (i or 0) + task.wait(0.5) * 2 return i < 3 and i or nil end do log(i) end"
        ),
        ["1", "2"]
    );
}

#[test]
fn wait_works_in_a_coroutine_of_the_script_and_under_pcall() {
    assert_eq!(
        World::logged(
            "coroutine.wrap(function() log('in', pcall(function() task.wait(0.1) error('x', 0) end)) end)()
             log('out')"
        ),
        ["out", "in false x"]
    );
}
