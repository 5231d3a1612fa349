//! An error that leaves a thread is reported with its cause, if that very thread was told the cause.

use luau_runtime::call_error::CallError;
use luau_runtime::error::Cause;
use luau_runtime::error::{Kind, ScriptError};
use luau_runtime::function::{Answer, FunctionBuilder};
use mlua::prelude::*;

use luau_runtime::testing::World;

/// Returns a world in which `throws(text)` fails because of the host, and `fails(text)` because of another thread.
fn world() -> World {
    let world = World::new();
    let builder = FunctionBuilder::new(&world.lua, &world.scheduler).unwrap();
    let text = |args: LuaMultiValue| args.front().unwrap().to_string().unwrap();
    let throws = builder.maybe_yielding(&world.lua, None, move |_, args| -> Result<Answer, CallError> {
        let text = text(args);
        Err(CallError::caused(text.clone(), Cause::new(text)))
    });
    let fails = builder.maybe_yielding(&world.lua, None, move |_, args| -> Result<Answer, CallError> {
        let text = text(args);
        let error = ScriptError::new(Kind::Timeout, &text);
        Err(CallError::of_error(text, error))
    });
    world.lua.globals().raw_set("throws", throws.unwrap()).unwrap();
    world.lua.globals().raw_set("fails", fails.unwrap()).unwrap();
    world
}

/// Returns the causes of the errors that reach the sink while a script runs.
fn causes(source: &str) -> Vec<Option<String>> {
    let world = world();
    world.start("pcall(throws, 'oops')");
    world.turn();
    world.run(source);
    world.whole_errors().into_iter().map(|error| error.cause.and_then(|cause| cause.get::<String>().cloned())).collect()
}

#[test]
fn it_is_told_however_the_error_gets_out() {
    for source in [
        "throws('oops')",
        "local _, e = pcall(throws, 'oops') error(e, 0)",
        "local _, e = pcall(throws, 'oops') error('wrapped: ' .. e)",
        "local _, e = pcall(throws, 'oops') task.wait(1) error(e, 0)",
        "local _, e = pcall(throws, 'oops') for i = 1, 900 do pcall(throws, i) end error(e, 0)",
        "coroutine.wrap(throws)('oops')",
        "task.spawn(throws, 'oops')",
        "task.spawn(function() local _, e = pcall(throws, 'oops') task.wait(1) error(e, 0) end)",
        "task.delay(1, throws, 'oops')",
    ] {
        assert_eq!(causes(source), [Some("oops".to_owned())], "{source}");
    }
}

#[test]
fn the_same_text_elsewhere_is_another_error() {
    for source in [
        "error('oops', 0)",
        "task.spawn(function() task.wait(1) pcall(throws, 'oops') end) task.wait(2) error('oops', 0)",
        "task.defer(pcall, throws, 'oops') task.wait(1) error('oops', 0)",
        // It has ended, and its body is reused.
        "for i = 1, 100 do task.defer(pcall, throws, 'oops') end task.wait(1) task.defer(error, 'oops', 0)",
    ] {
        assert_eq!(causes(source), [None], "{source}");
    }
}

#[test]
fn an_error_of_another_thread_keeps_its_kind() {
    let world = world();
    world.run("fails('too slow')");
    world.run("pcall(fails, 'too slow') error('mine')");
    let kinds: Vec<Kind> = world.whole_errors().into_iter().map(|error| error.kind).collect();
    assert_eq!(kinds, [Kind::Timeout, Kind::Runtime]);
}

#[test]
fn so_many_are_kept_and_no_more() {
    // Only the oldest is lost.
    let source = "local _, e = pcall(throws, 'oops') for i = 1, 1000 do pcall(throws, i) end error(e, 0)";
    assert_eq!(causes(source), [None]);
    let source = "local _, e = pcall(throws, string.rep('x', 100000)) error(e, 0)";
    assert_eq!(causes(source), [None]);
    // A thread that catches very many loses its own oldest ones first, and those of others once all threads together have too many.
    let source = "
        local function many(count)
            for i = 1, count do pcall(throws, i .. string.rep('x', 60000)) end
            task.wait(2)
        end
        local _, e = pcall(throws, 'oops')
        task.defer(many, 100)
        task.defer(many, 100)
        task.wait(1)
        error(e, 0)";
    assert_eq!(causes(source), [None]);
    assert_eq!(causes(&source.replace("100", "50")), [Some("oops".to_owned())]);
}
