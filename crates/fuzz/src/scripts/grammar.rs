//! Makes scripts from templates: `$b` stands for a block, `$s` for a statement, `$e` for an expression, `$f` for a
//! function, `$t` for a thread, `$c` for a signal, `$k` for a connection, `$h` for a handler's connection, `$n` for a
//! number, `$w` for a text, and `$v` for a variable.

use arbitrary::{Result, Unstructured};

/// Fills the variables, so that most later code has values to work with.
pub(super) const OPENING: &str = "
    for _, name in { 'k1', 'k2' } do
        task.spawn(function() getfenv()[name] = websocket.connect('ws://host/') end)
    end
    t1, t2 = coroutine.create(function(...) while true do coroutine.yield(...) end end), task.delay(1, log)
    h1, h2 = signal0:Connect(log), signal1:Once(log)
    u, v, w, x, y, z = probe, {}, 'w', log, { probe }, buffer.create(4)
";

/// Makes a script.
pub(super) fn script(bytes: &mut Unstructured) -> Result<String> {
    let mut writer = Writer { bytes, text: String::new() };
    for _ in 0..writer.bytes.int_in_range(1..=6)? {
        // Isolates most statements, so that one that fails does not always end the script.
        let alone = ["$s\n", "task.spawn(function() $s end)\n", "pcall(function() $s end)\n"];
        let template = *writer.bytes.choose(&alone)?;
        writer.fill(template, 0)?;
    }
    Ok(writer.text)
}

const MAX_DEPTH: usize = 6;
/// The longest script, about what a person would write.
const MAX_LENGTH: usize = 8_000;

struct Writer<'a, 'b> {
    bytes: &'a mut Unstructured<'b>,
    text: String,
}

impl Writer<'_, '_> {
    fn fill(&mut self, template: &str, depth: usize) -> Result<()> {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            self.text.push_str(before);
            let (templates, leaves) = of(after.as_bytes()[0]);
            let is_deep = depth >= MAX_DEPTH || self.text.len() > MAX_LENGTH;
            let among = if is_deep { &templates[..leaves] } else { templates };
            let chosen = *self.bytes.choose(among)?;
            self.fill(chosen, depth + 1)?;
            rest = &after[1..];
        }
        self.text.push_str(rest);
        Ok(())
    }
}

/// Returns the templates of a kind, and how many of the first ones contain no others, or only short ones.
fn of(kind: u8) -> (&'static [&'static str], usize) {
    match kind {
        b'b' => (&BLOCKS, 1),
        b's' => (&STATEMENTS, 8),
        b'e' => (&EXPRESSIONS, 8),
        b'f' => (&FUNCTIONS, 6),
        b't' => (&THREADS, 4),
        b'c' => (&CALLED, 2),
        b'n' => (&NUMBERS, NUMBERS.len()),
        b'w' => (&TEXTS, TEXTS.len()),
        b'k' => (&CONNECTIONS, 2),
        b'h' => (&HANDLERS, 2),
        b'v' => (&VARIABLES, VARIABLES.len()),
        other => panic!("no kind of template: {}", char::from(other)),
    }
}

const BLOCKS: [&str; 3] = ["$s", "$s $s", "$s $s $s"];

const STATEMENTS: [&str; 58] = [
    "task.wait($n);",
    "coroutine.yield($v);",
    "log($v);",
    "$v = $v;",
    "error($v);",
    "$v = nil;",
    "task.wait();",
    "coroutine.yield();",
    "$v = $e;",
    "$v = $e;",
    "$v = $t;",
    "$v = $f;",
    "$v = $c;",
    "pcall(function() $b end);",
    "pcall(function() $b end);",
    "$v = select(2, pcall($f, $e));",
    "task.spawn($f, $e);",
    "task.defer($f, $e);",
    "task.delay($n, $f, $e);",
    "task.spawn($t, $e);",
    "task.defer($t, $e);",
    "task.delay($n, $t, $e);",
    "task.cancel($t);",
    "coroutine.close($t);",
    "coroutine.resume($t, $e);",
    "coroutine.wrap($f)($e);",
    "for i = 1, 5 do $b end",
    "for k, x in pairs({ $e, $e, a = $e }) do $b end",
    "for k, x in $e do $b break end",
    "while $e do $b break end",
    "repeat $b until $e;",
    "if $e then $b else $b end",
    "do local l = $e; $v = function() return l end end",
    "$c:Connect($f);",
    "$c:Once($f);",
    "$v = $c:Wait();",
    "$v:Connect($e);",
    "$h:Disconnect();",
    "$k:Send($e);",
    "$k:Send($e);",
    "$k:Close($n, $w);",
    "$k:Close();",
    "$v = $k:Receive($n);",
    "$v = $k:Receive();",
    "for m, isBinary in $k do log(m) $b end",
    "for m, isBinary in $k do $v = m end",
    "$k.OnMessage:Connect($f);",
    "$k.OnClose:Connect($f);",
    "k1 = websocket.connect('ws://host/', $e);",
    "k2 = nil;",
    "h1 = $c:Connect($f);",
    "t1 = $t;",
    "t2 = coroutine.running();",
    "websocket.connect($e, $e);",
    "xpcall(function() $b end, $f);",
    "table.sort({ 3, 1, 2, $e }, $f);",
    "string.gsub($w, '.', $f);",
    "setmetatable($v, $e);",
];

const EXPRESSIONS: [&str; 49] = [
    "nil",
    "true",
    "$n",
    "$w",
    "$v",
    "probe",
    "json.null",
    "{}",
    "{ $e, $e, [$n] = $e }",
    "{ a = $e, b = $e }",
    "$f",
    "$t",
    "$c",
    "$v.x",
    "$v[$e]",
    "$k",
    "$h",
    "$k[$w]",
    "$k.State",
    "$h.Connected",
    "$k.Dropped",
    "(($e) == ($e))",
    "($e == $v)",
    "($n + $n)",
    "(($e) .. ($e))",
    "#{ $e }",
    "(function(...) return select('#', ...), ... end)($e, $e)",
    "json.encode($e)",
    "json.decode($w)",
    "tostring($e)",
    "typeof($e)",
    "setmetatable({}, { __index = $f, __newindex = $f })",
    "setmetatable({}, { __call = $f, __tostring = $f, __iter = $f, __len = $f })",
    "setmetatable({}, { __eq = $f, __lt = $f, __concat = $f, __add = $f })",
    "setmetatable({}, { __mode = 'k', __metatable = $e })",
    "newproxy(true)",
    "buffer.create(8)",
    "buffer.fromstring($w)",
    "string.rep($w, $n)",
    "string.format($w, $e)",
    "table.create($n, $e)",
    "table.pack($e, $e)",
    "table.concat({ $e, $e }, $w)",
    "vector.create(1, 2, 3)",
    "{ protocols = { $w }, timeout = $n, binary = 'buffer' }",
    "(websocket.connect($w, $e))",
    "select(2, pcall($f, $e))",
    "coroutine.running()",
    "($f)($e)",
];

const FUNCTIONS: [&str; 22] = [
    "function() end",
    "function(...) return ... end",
    "error",
    "task.wait",
    "coroutine.yield",
    "log",
    "function(a, b) $b end",
    "function(a, b) $b return $e end",
    "function(...) $b return $e, ... end",
    "function() while true do $b end end",
    "function() $v = coroutine.running() $b end",
    "function() return $v end",
    "coroutine.wrap($f)",
    "task.spawn",
    "task.defer",
    "task.cancel",
    "coroutine.close",
    "coroutine.resume",
    "json.encode",
    "websocket.connect",
    "setmetatable",
    "pcall",
];

const THREADS: [&str; 10] = [
    "coroutine.running()",
    "t1",
    "t1",
    "t2",
    "coroutine.create($f)",
    "coroutine.create($f)",
    "task.spawn($f, $e)",
    "task.defer($f, $e)",
    "task.delay($n, $f)",
    "task.spawn(function() $b end)",
];

const CALLED: [&str; 5] = ["signal0", "signal1", "k1.OnMessage", "k2.OnClose", "$k.OnMessage"];

const CONNECTIONS: [&str; 3] = ["k1", "k2", "websocket.connect($w)"];

const HANDLERS: [&str; 3] = ["h1", "h2", "$c:Connect($f)"];

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "0.01",
    "0.5",
    "3",
    "20",
    "1000",
    "4999",
    "2^53",
    "1e308",
    "math.huge",
    "-math.huge",
    "0/0",
    "1e6",
    "2^31",
];

const TEXTS: [&str; 14] = [
    "''",
    "'x'",
    "'ws://host/'",
    "'ws://other/'",
    "'ws://refused/'",
    "'http://host/'",
    "'\\0\\255'",
    "'[1,{\"a\":null}]'",
    "'{'",
    "'%s %d %q'",
    "'bad'",
    "'WebSocketConnection'",
    "string.rep('long', 50)",
    "'[[['",
];

const VARIABLES: [&str; 6] = ["u", "v", "w", "x", "y", "z"];
