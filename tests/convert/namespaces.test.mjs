// JS objects that only hold functions, such as Math, become tables of functions, although their members are not
// enumerable.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau } from "../../pkg/node.js";
import { ends, sent } from "../worker/codecs.mjs";

test("a script calls the functions of a namespace object", async () => {
  const luau = await Luau.create({ globals: { Math, tools: { JSON } } });
  assert.deepEqual(
    await luau.run("return Math.hypot(3, 4), Math.PI, tools.JSON.parse('[1]')[1], typeof(Math)"),
    [5, Math.PI, 1, "table"],
  );
  assert.deepEqual(await luau.run("return (...).max(1, 3)", { args: [Math] }), [3]);
  luau.dispose();
});

test("what an object hides stays hidden", async () => {
  const hidden = Object.defineProperty({}, "secret", { value: 1, enumerable: false });
  class Tagged {
    get [Symbol.toStringTag]() {
      return "Tagged";
    }
    secret = 1;
  }
  const module = Object.freeze({ __proto__: null, [Symbol.toStringTag]: "Module", double: 2 });
  const luau = await Luau.create();
  const args = [hidden, new Tagged(), module];
  assert.deepEqual(
    await luau.run("local hidden, tagged, module = ... return hidden.secret, typeof(tagged), module.double", {
      args,
    }),
    [undefined, "JSObject", 2],
  );
  luau.dispose();
});

test("a namespace object crosses into a worker", () => {
  const { page, worker } = ends();
  const copy = /** @type {any} */ (sent(page, worker, Math));
  assert.equal(copy.PI, Math.PI);
  assert.equal(typeof copy.hypot, "function");
  assert.deepEqual(Object.keys(/** @type {any} */ (sent(page, worker, {}))), []);
});
