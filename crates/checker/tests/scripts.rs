//! Checks scripts against the definitions in `types/`: real problems are found, and correct scripts have none.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "panics fail the test")]

use std::fs;
use std::path::{Path, PathBuf};

use luau_checker::{Checker, Diagnostic, Place, Severity};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// Returns a checker with the globals of every script.
fn checker() -> Checker {
    let mut checker = Checker::new();
    for name in ["globals", "json", "task", "websocket"] {
        let found = checker.define(name, &read(format!("types/{name}.d.luau")));
        assert_eq!(found, Ok(()), "{name}");
    }
    checker
}

#[test]
fn the_members_of_a_module_place_are_known_and_its_children_are_anything() {
    let mut checker = checker();
    assert_eq!(checker.define("script", &read("types/script.d.luau")), Ok(()));
    let source = "--!strict\nlocal name: string = script.Name\nlocal other = script.Parent.Other\nprint(name, other, script.Child.Name)\n\
                  local wrong: number = script.Name";
    let found = check(&mut checker, &[("main".into(), source.into())]);
    assert!(matches!(&found[..], [only] if only.starts_with("main:5:") || only.starts_with("main:4:")), "{found:?}");
}

/// Returns the problems in each file, as `name:line: message`.
fn check(checker: &mut Checker, files: &[(String, String)]) -> Vec<String> {
    checker.set_files(files.iter().cloned());
    let found = files.iter().flat_map(|(name, _)| {
        let found = checker.check(name).into_iter();
        found.map(move |found| format!("{name}:{}: {}", found.start.line, found.message)).collect::<Vec<_>>()
    });
    found.collect()
}

fn check_one(source: &str) -> Vec<String> {
    check(&mut checker(), &[("main".into(), source.into())])
}

/// Returns the scripts in a folder, by their paths within it, without an extension.
fn scripts(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "luau") {
                let name = path.strip_prefix(root().join(folder)).unwrap().with_extension("");
                found.push((name.to_str().unwrap().to_owned(), read(&path)));
            }
        }
    }
    found.sort();
    found
}

/// The files of a multi-file example are in their own folder, and `main` requires them.
#[test]
fn nothing_is_wrong_with_the_examples_of_the_playground() {
    let mut checker = checker();
    let all = scripts("www/examples");
    assert!(all.len() > 3);
    let (modules, alone): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| name.contains('/'));
    let modules: Vec<_> =
        modules.into_iter().map(|(name, source)| (name.split_once('/').unwrap().1.to_owned(), source)).collect();
    assert_eq!(check(&mut checker, &modules), <[&str; 0]>::default());
    for file in alone {
        assert_eq!(check(&mut checker, &[file]), <[&str; 0]>::default());
    }
}

#[test]
fn nothing_is_wrong_with_the_examples_of_the_package() {
    let mut checker = checker();
    assert_eq!(check(&mut checker, &scripts("examples/node/scripts")), <[&str; 0]>::default());
    let host = "declare function onSubmit(listener: (message: string) -> ()): ()";
    assert_eq!(checker.define("host", host), Ok(()));
    assert_eq!(check(&mut checker, &[("chat".into(), read("examples/vite/chat.luau"))]), <[&str; 0]>::default());
}

/// These scripts do unusual things on purpose and are not strict. The hostile ones do what a checker should forbid.
#[test]
fn little_is_wrong_with_the_scripts_of_the_tests() {
    let mut checker = checker();
    let prelude = read("tests/luau/prelude.luau");
    let is_meant = |name: &str| name != "prelude" && !name.starts_with("hostile/");
    let all: Vec<_> = scripts("tests/luau").into_iter().filter(|(name, _)| is_meant(name)).collect();
    assert!(all.len() > 20);
    let lines = i64::try_from(prelude.lines().count()).unwrap();
    let mut wrong: Vec<String> = Vec::new();
    for (name, source) in all {
        checker.set_files([(name.clone(), format!("{prelude}{source}"))]);
        // The page that runs the scripts defines `arrived`, and the port does not know the library `integer` yet.
        let is_known = |found: &Diagnostic| {
            ["arrived", "integer"].iter().any(|name| found.message.contains(&format!("global '{name}'")))
        };
        let is_wrong = |found: &Diagnostic| found.severity == Severity::Error && !is_known(found);
        let found = checker.check(&name).into_iter().filter(is_wrong);
        wrong.extend(found.map(|found| format!("{name}:{}: {}", i64::from(found.start.line) - lines, found.message)));
    }
    // Both are correct: `tonumber` may return nil, and a table variable is assigned a string.
    assert_eq!(
        wrong,
        [
            "signal/threads:9: Expected this to be 'number', but got 'number?'",
            "websocket/iteration:24: Type got cannot be compared with \"3\"",
        ]
    );
}

#[test]
fn types_that_do_not_fit_are_found_at_their_place() {
    let mut checker = checker();
    let source = "--!strict\nlocal text = 'é😀'; local sum: number = text\nreturn sum\n";
    checker.set_files([("main".into(), source.into())]);
    let found = checker.check("main");
    let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{found:?}");
    assert_eq!(errors[0].message, "Expected this to be 'number', but got 'string'");
    assert_eq!((errors[0].start, errors[0].end), (Place { line: 2, column: 21 }, Place { line: 2, column: 45 }));
}

#[test]
fn what_our_libraries_take_is_known() {
    for (source, message) in [
        ("nosuch()", "Unknown global 'nosuch'; consider assigning to it first"),
        ("json.encod({})", "Key 'encod' not found in table 'JsonLibrary'"),
        ("websocket.connect(1)", "Expected this to be 'string', but got 'number'"),
        ("task.spawn(function(a: number) end, 'x')", "Expected this to be 'number', but got 'string'"),
        (
            "--!strict\nlocal c = assert(websocket.connect('ws://x'))\nprint(c.url)",
            "Key 'url' not found in external type 'WebSocketConnection'.  Did you mean one of 'URL', 'Url'?",
        ),
        (
            "--!strict\nlocal c = websocket.connect('ws://x')\nc:Close()",
            "Value of type 'WebSocketConnection?' could be nil",
        ),
        (
            "--!strict\nlocal c = assert(websocket.connect('ws://x'))\nif c.State == 'Opem' then print(c) end",
            "Type \"Closed\" | \"Closing\" | \"Open\" cannot be compared with \"Opem\"",
        ),
    ] {
        let found = check_one(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert!(found[0].ends_with(message), "{source}: {found:?}");
    }
}

#[test]
fn all_that_our_libraries_have_may_be_used() {
    let source = r#"
        local connection, reason = websocket.connect("wss://example.com", {
            protocols = { "a", "b" }, timeout = 3, binary = "buffer",
        })
        if not connection then
            error(reason)
        end
        local handler: Connection = connection.OnMessage:Connect(function(message, isBinary)
            print(message, not isBinary)
        end)
        connection.OnClose:Once(function(code, reason, wasClean)
            print(code + 1, string.upper(reason), not wasClean)
        end)
        handler:Disconnect()
        print(handler.Connected, connection.Url, connection.URL, connection.Protocol, connection.State)
        print(connection.BufferedAmount + connection.Dropped, connection.CloseCode, connection.CloseReason, connection.WasClean)
        local code, reason, wasClean = connection.OnClose:Wait()
        local message = connection.OnMessage:Wait()
        local received, isBinary = connection:Receive(2)
        for each, isBinaryToo in connection do
            print(each, isBinaryToo)
        end
        connection:Send("text")
        connection:Send(buffer.create(2))
        connection:Close(1000, "done")
        WebSocket.connect("ws://x")

        local thread: thread = task.spawn(print, 1, "two")
        task.spawn(coroutine.create(print), 1)
        task.defer(function(...: number) print(...) end, 1, 2)
        task.delay(1, print)
        task.delay(nil, print)
        task.cancel(thread)
        print(task.wait() + task.wait(1))

        local value = json.decode(json.encode({ a = { 1, 2 }, b = json.null }))
        warn(value.a[1], message, received, isBinary, code, reason, wasClean)
        local chunk, problem = loadstring("return 1", "=chunk")
        print(if chunk then chunk() else problem)
        local signal: Signal<string> = nil :: any
        type Options = ConnectOptions
        local options: Options = {}
        print(signal, options, _VERSION)
    "#;
    assert_eq!(check_one(source), <[&str; 0]>::default());
    assert_eq!(check_one(&format!("--!strict\n{source}")), <[&str; 0]>::default());
}

/// The type of `pcall` lacks the values after `false`.
#[test]
fn results_of_protected_calls_may_be_taken() {
    let source = r#"--!strict
        local function none() end
        local function two(): (number, string)
            return 1, ""
        end
        local a, b = pcall(none)
        local c, d = pcall(two)
        local e, f = xpcall(two, tostring)
        local g, h = coroutine.resume(coroutine.create(two))
        local i, j = pcall(websocket.connect, "ws://x")
        print(a, b, c, d, e, f, g, h, i, j)
    "#;
    assert_eq!(check_one(source), <[&str; 0]>::default());
}

#[test]
fn an_error_ends_what_it_is_in() {
    let source = r#"--!strict
        local connection, reason = websocket.connect("ws://x")
        if not connection then
            error(reason)
        end
        connection:Close()
        local function digit(text: string): number
            while true do
                local value = tonumber(text)
                if value then
                    return value
                else
                    error("not a number")
                end
            end
        end
        local function fail(): string
            error("always")
        end
        return digit, fail
    "#;
    assert_eq!(check_one(source), <[&str; 0]>::default());
    let found = check_one("local function fail()\n\terror('always')\n\tprint('never')\nend\nreturn fail");
    assert_eq!(found, ["main:3: Unreachable code (previous statement always errors)"]);
}

#[test]
fn modules_have_types() {
    let mut checker = checker();
    let main = "--!strict\nlocal list = require('./lib/list')\nlocal text: string = list.first({ 1 })\nlocal n: list.Node = { value = 1 }\n\
                return text, n, require('./lib'), require('./none'), require('list')";
    let list = "--!strict\nlocal other = require('./other')\nexport type Node = { value: number }\nlocal list = {}\n\
                function list.first(of: { number }): number\n\treturn of[1] + other\nend\nreturn list";
    let files =
        [("main", main), ("lib/list", list), ("lib/other", "return 2"), ("lib/init", "return require('@self/list')")];
    let files = files.map(|(name, source)| (name.to_owned(), source.to_owned()));
    assert_eq!(
        check(&mut checker, &files),
        [
            "main:3: Expected this to be 'string', but got 'number'",
            "main:5: Unknown require: none",
            "main:5: Unknown require: list (the path must begin with ./, ../ or @)",
        ]
    );
    assert_eq!(checker.type_at("main", Place { line: 3, column: 27 }).as_deref(), Some("(of: {number}) -> number"));
}

#[test]
fn what_changes_is_checked_again() {
    let mut checker = checker();
    let main = ("main".to_owned(), "--!strict\nlocal text: string = require('./m')\nreturn text".to_owned());
    let module = |source: &str| ("m".to_owned(), source.to_owned());
    let wrong = ["main:2: Expected this to be 'string', but got 'number'"];
    for _ in 0..2 {
        assert_eq!(check(&mut checker, &[main.clone(), module("return ''")]), <[&str; 0]>::default());
        assert_eq!(check(&mut checker, &[main.clone(), module("return 1")]), wrong);
        assert_eq!(check(&mut checker, std::slice::from_ref(&main)), ["main:2: Unknown require: m"]);
        assert_eq!(check(&mut checker, &[main.clone(), module("return 1")]), wrong);
    }
}

#[test]
fn modules_may_not_require_each_other_in_a_circle() {
    let files = [("a", "return require('./b')"), ("b", "return require('./a')")];
    let found = check(&mut checker(), &files.map(|(name, source)| (name.to_owned(), source.to_owned())));
    assert!(found.iter().any(|found| found.contains("Cyclic module dependency")), "{found:?}");
}

/// The compiler reports syntax errors.
#[test]
fn nothing_is_told_of_what_is_no_program() {
    assert_eq!(check_one("nosuch("), <[&str; 0]>::default());
    assert_eq!(check_one(&"= ".repeat(1000)), <[&str; 0]>::default());
}

#[test]
fn names_have_types_also_where_a_script_is_not_strict() {
    let source = "local c = assert(websocket.connect('ws://x'))\n-- c is what was\nc:Send('c')\nlocal function f(n: number) return n end print(f)\n";
    let mut checker = checker();
    checker.set_files([("main".into(), source.into())]);
    let mut type_at = |line, column| checker.type_at("main", Place { line, column });
    assert_eq!(type_at(1, 7).as_deref(), Some("WebSocketConnection"));
    assert_eq!(
        type_at(1, 30).as_deref(),
        Some("(url: string, options: ConnectOptions?) -> (WebSocketConnection?, string?)")
    );
    assert_eq!(type_at(3, 2).as_deref(), Some("WebSocketConnection"));
    assert_eq!(type_at(4, 16).as_deref(), Some("(n: number) -> number"));
    for (line, column, what) in [(1, 1, "a keyword"), (2, 4, "a comment"), (3, 9, "a string"), (9, 1, "nothing")] {
        assert_eq!(type_at(line, column), None, "{what}");
    }
}

/// The checker runs while people type, so it must survive any unfinished script.
#[test]
fn what_is_typed_so_far_is_survived() {
    let mut checker = checker();
    for (name, source) in scripts("www/examples") {
        for (end, char) in source.char_indices() {
            if matches!(char, '\n' | '.' | ':' | '(' | '=') {
                let end = end + char.len_utf8();
                checker.set_files([(name.clone(), source[..end].to_owned())]);
                checker.check(&name);
                let line = u32::try_from(source[..end].matches('\n').count()).unwrap() + 1;
                checker.type_at(&name, Place { line, column: 3 });
            }
        }
    }
}
