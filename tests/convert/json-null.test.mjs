// A host can send null where a table cannot hold nil, and JSON on one side is the same JSON on the other.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jsonNull as jsonNullInline } from "../../pkg/inline.js";
import { jsonNull, Luau } from "../../pkg/node.js";
import { jsonNull as jsonNullOfWorkers } from "../../pkg/worker.js";
import { ends, sent } from "../worker/codecs.mjs";

/** @type {Luau} */
let luau;

before(async () => {
  luau = await Luau.create();
});
after(() => luau.dispose());

test("jsonNull is json.null for a script, wherever it stands", async () => {
  const run = (/** @type {string} */ source, /** @type {unknown[]} */ args) => luau.run(source, { args });
  assert.deepEqual(await run("return ... == json.null", [jsonNull]), [true]);
  assert.deepEqual(await run("local list = ... return #list, list[2] == json.null", [[1, jsonNull, 3]]), [
    3,
    true,
  ]);
  assert.deepEqual(await run("return json.encode(...)", [[1, jsonNull, { a: jsonNull }]]), [
    '[1,null,{"a":null}]',
  ]);
  assert.deepEqual(await run("return (...).key == json.null", [new Map([["key", jsonNull]])]), [true]);
  luau.set("answer", () => jsonNull);
  luau.set("later", async () => [jsonNull]);
  assert.deepEqual(await run("return answer() == json.null, later()[1] == json.null", []), [true, true]);
  const other = Symbol("luau-websocket.jsonNull");
  assert.deepEqual(await run("return typeof(...), ...", [other]), ["JSObject", other]);
});

test("json.null is null for the host, and null is nil for a script", async () => {
  assert.deepEqual(await luau.run("return json.null, { json.null, 1 }"), [null, [null, 1]]);
  assert.deepEqual(await luau.run("return #..., ... == nil", { args: [[1, null, null]] }), [1, false]);
});

test("every entry has the same one, and it crosses between a page and its worker", () => {
  assert.equal(jsonNull, jsonNullInline);
  assert.equal(jsonNull, jsonNullOfWorkers);
  const { page, worker } = ends();
  const value = [1, jsonNull, { a: jsonNull }];
  assert.deepEqual(sent(page, worker, value), value);
  assert.deepEqual(sent(worker, page, value), value);
});
