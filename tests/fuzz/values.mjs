// Luau expressions for hostile values of each type.

import { HOST_FUNCTIONS } from "./host-functions.mjs";

/** @typedef {import("./random.mjs").Random} Random */
/** @typedef {import("./surface.mjs").Surface} Surface */

/** Sizes, positions and counts. The last ones are large enough to reach limits and small enough to work. */
const NUMBERS = [
  ..."0 1 -1 2 0.5 -0 3 7 20 64 255 256 1000 65535 65536 65537 1e5 1e6 1e7 67108864 2^28 2^30 2^31-1 2^31 -2^31".split(
    " ",
  ),
  ..."2^32-1 2^32 2^53 -2^53 2^63 1e308 5e-324 math.huge -math.huge 0/0".split(" "),
];

/** Lengths that fit a small limit several times, or a medium one once. */
const LENGTHS = ["10", "1000", "65536", "1e5", "1e6", "1e7", "6e7"];

const STRINGS = [
  "''",
  "'x'",
  "'\\0'",
  "'a\\0b'",
  "'\\255'",
  "'\\xed\\xa0\\x80'",
  "'\\u{10FFFF}'",
  "'nan'",
  "'0x1p4'",
  "'1e999'",
  "'%s %d %q %5.1f %c'",
  "'%99.99f'",
  "'%*'",
  "'%'",
  "'(.-)%1*$'",
  "'[%w-'",
  "'%b()'",
  "'%f[%a]'",
  "'.'",
  "'()()()'",
  "'ws://{SERVER}/echo'",
  "'ws://{SERVER}/burst?count=50'",
  "'ws://{SERVER}/reset?seconds=0'",
  "'wss://[::1'",
  "'[1,{\"a\":null}]'",
  '\'{"__proto__":{"x":1}}\'',
  "'\\27Lua'",
  "'\\6'",
  "'return ...'",
  "'while true do end'",
  "'local function f() return f() end f()'",
  "'./plain'",
  "'./later'",
  "'./fails'",
  "'./never'",
  "'./circle'",
  "'@self/x'",
  "'__proto__'",
  "'constructor'",
  "'then'",
  "'z'",
  "'!*t'",
  "'n'",
  "'sl'",
  "'k'",
  "'=(load)'",
  "'not enough memory'",
];

/** Repeated texts, each with `N` for a length. */
const REPEATED = [
  "string.rep('x', N)",
  "string.rep('\\255', N)",
  "string.rep('\\0', N)",
  "string.rep('a?', 30) .. string.rep('a', 30)",
  "string.rep('[', N)",
  "string.rep('[],', N) .. '1'",
  "'[' .. string.rep('1,', N) .. '1]'",
  "string.rep('(', N)",
  "string.rep('a={}\\n', N / 5)",
  "'return ' .. string.rep('{', 5000)",
  "'return ' .. string.rep('x .. ', N / 5) .. 'x'",
  "'local x = ' .. string.rep('-', N) .. '1'",
  "string.rep('%s', N / 2)",
  "string.rep('%w-', 40)",
  "'./' .. string.rep('a/', N / 2)",
  "'ws://{SERVER}/' .. string.rep('a', N)",
  "string.rep('é', N / 2)",
  "string.rep('\\u{10FFFF}', N / 4)",
  "string.rep('\\r\\n', N / 2)",
];

const TABLES = [
  "{}",
  "{ 1, 2, 3 }",
  "V",
  "_G",
  "getfenv()",
  "string",
  "table.freeze({ 1 })",
  "table.create(1e5, 0)",
  "table.create(1e6)",
  "(function() local t = {} t.t = t t[t] = t return t end)()",
  "nest(1000)",
  "nest(1e5)",
  "bomb(20)",
  "bomb(60)",
  "{ [2^31] = 1, [-1] = 2, [0.5] = 3 }",
  "{ [-2147483648] = 1 }",
  "{ n = 2^31 }",
  "{ [vector.one] = 1, [print] = 2 }",
  "setmetatable({}, { __mode = 'kv' })",
  "setmetatable({}, { __metatable = 'locked' })",
  "{ '\\255', ['\\255'] = 1 }",
  "{ protocols = { 'a', 'b' }, timeout = 0.01, binary = 'buffer' }",
  "{ protocols = table.create(1000, 'p') }",
  "{ timeout = 0/0 }",
  "{ year = 1e9, month = 2^31, day = -1, hour = 0/0 }",
  "{ task.wait, coroutine.running(), newproxy(true), buffer.create(1) }",
];

/** Metamethods, each of which may raise, yield, recurse or compute endlessly. */
const METAMETHODS = [
  "__index",
  "__newindex",
  "__call",
  "__tostring",
  "__iter",
  "__len",
  "__eq",
  "__lt",
  "__concat",
  "__add",
  "__unm",
  "__name",
  "__type",
];

const FUNCTIONS = [
  "function() end",
  "function(...) return ... end",
  "function() return error({}) end",
  "function() error('x', 0) end",
  "function(...) coroutine.yield(...) return ... end",
  "function() task.wait() end",
  "function() return V end",
  "function() while true do end end",
  "function(...) return select('#', ...) % 2 == 0 end",
  "function(a, b) return a < b end",
  "coroutine.wrap(function(...) while true do coroutine.yield(...) end end)",
  "function(self) return self end",
  "function(f) return recurse(f) end",
  "function() return string.rep('x', 1e6) end",
  "function() error(setmetatable({}, { __tostring = error }), 0) end",
  "function() task.cancel(coroutine.running()) end",
  "function(...) return pcall(coroutine.yield, ...) end",
];

const THREADS = [
  "coroutine.running()",
  "coroutine.create(function() end)",
  "coroutine.create(F)",
  "task.spawn(F)",
  "task.defer(F)",
  "task.delay(0, F)",
  "task.delay(1e9, F)",
  "task.spawn(function() while true do task.wait() end end)",
  "coroutine.create(pcall)",
];

const BUFFERS = [
  "buffer.create(0)",
  "buffer.create(8)",
  "buffer.create(1e6)",
  "buffer.create(N)",
  "buffer.fromstring(S)",
];

const OTHERS = [
  "nil",
  "true",
  "false",
  "json.null",
  "newproxy()",
  "newproxy(true)",
  "vector.zero",
  "vector.create(0/0, 1/0, -0)",
  "connect()",
  "host.keep()",
  "integer.create(1)",
  "integer.create(2^53)",
  "integer.create(-2^63)",
];

/** The deepest nesting of an expression. */
const MAX_DEPTH = 3;

/** Writes expressions with the choices of a generator. */
export class Values {
  #random;
  #surface;

  /**
   * @param {Random} random
   * @param {Surface} surface
   */
  constructor(random, surface) {
    this.#random = random;
    this.#surface = surface;
  }

  /** Returns a variable. A script's variables are in one table, so that any line can be removed. */
  variable() {
    return `V[${this.#random.int(1, 6)}]`;
  }

  /**
   * Returns an expression for a value, usually of a given type.
   *
   * @param {string} type a type, as named in Luau's errors
   * @returns {string}
   */
  of(type, depth = 0) {
    const random = this.#random;
    if (depth >= MAX_DEPTH || random.chance(0.15)) {
      return this.variable();
    }
    if (type === "any" || random.chance(0.1)) {
      type = random.pick(["number", "string", "table", "function", "thread", "buffer", "other"]);
    }
    switch (type) {
      case "number":
        return random.pick(NUMBERS);
      case "string":
        return this.#string();
      case "table":
        return random.chance(0.6) ? random.pick(TABLES) : this.#composed(depth);
      case "function":
        return this.function();
      case "thread":
        return random.pick(THREADS).replace("F", this.function());
      case "buffer":
        return random.pick(BUFFERS).replace("N", random.pick(LENGTHS)).replace("S", this.#string());
      case "vector":
        return `vector.create(${random.pick(NUMBERS)}, ${random.pick(NUMBERS)}, 1)`;
      case "integer":
        return `integer.create(${random.pick(NUMBERS)})`;
      case "boolean":
        return random.pick(["true", "false"]);
      default:
        return random.pick(OTHERS);
    }
  }

  /** Returns a function: of the API, of the host, or of a script. */
  function() {
    const random = this.#random;
    return random.weighted([
      [4, () => random.pick(this.#surface.functions).path],
      [2, () => `host.${random.pick(HOST_FUNCTIONS)}`],
      [4, () => `(${random.pick(FUNCTIONS)})`],
    ])();
  }

  /**
   * Returns the arguments of a call, which usually match.
   *
   * @param {readonly string[]} types
   */
  args(types, depth = 0) {
    const count = this.#random.weighted([
      [8, types.length],
      [1, types.length + 1],
      [1, this.#random.int(0, types.length)],
    ]);
    const args = Array.from({ length: count }, (_, index) => this.of(types[index] ?? "any", depth + 1));
    return args.join(", ");
  }

  #string() {
    const random = this.#random;
    const text = random.chance(0.6) ? random.pick(STRINGS) : random.pick(REPEATED);
    return text.replace("N", random.pick(LENGTHS));
  }

  /** @param {number} depth */
  #composed(depth) {
    const random = this.#random;
    const parts = Array.from({ length: random.int(1, 3) }, () => this.of("any", depth + 1));
    if (random.chance(0.5)) {
      return `{ ${parts.join(", ")}, a = ${this.of("any", depth + 1)} }`;
    }
    const methods = Array.from({ length: random.int(1, 3) }, () => {
      return `${random.pick(METAMETHODS)} = ${this.function()}`;
    });
    return `setmetatable({ ${parts[0]} }, { ${methods.join(", ")} })`;
  }
}
