// A VM and the values of its scripts work inside the reactive state of Vue, Pinia and Alpine.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createPinia, defineStore } from "pinia";
import { createSSRApp, isReactive, reactive, ref } from "vue";
import { Luau, LuauError } from "../../pkg/node.js";
import { LuauWorker } from "../../pkg/worker.js";

/** @type {Luau} */
let luau;

before(async () => {
  luau = await Luau.create();
});
after(() => luau.dispose());

/**
 * Uses a VM, its results and its errors like a component, wherever they are stored.
 *
 * @param {{ luau: Luau, results: unknown[], error: unknown }} state
 */
async function use(state) {
  assert.deepEqual(await state.luau.run("return 1 + 1"), [2]);
  assert.equal(state.luau.check("return 1"), null);
  assert.equal(typeof state.luau.stats.memory, "number");
  state.results = await state.luau.run(
    "return coroutine.create(print), function(a) return a end, newproxy()",
  );
  const [thread, echo, userdata] = /** @type {any[]} */ (state.results);
  assert.match(String(thread), /^thread: 0x/);
  assert.match(String(userdata), /^userdata: 0x/);
  assert.deepEqual(await echo(7), [7]);
  // The script gets back the thread that it returned.
  const [type] = await state.luau.run("return typeof(...)", { args: [thread] });
  assert.equal(type, "thread");
  await state.luau.run("error({ code = 7 })").catch((error) => {
    state.error = error;
  });
  assert(state.error instanceof LuauError);
  assert.deepEqual(state.error.value, { code: 7 });
  assert.equal(state.luau, luau);
}

test("Vue keeps a VM in refs and reactive objects", async () => {
  assert.deepEqual(await ref(luau).value.run("return 1"), [1]);
  const state = reactive({ luau, results: /** @type {unknown[]} */ ([]), error: undefined });
  await use(/** @type {any} */ (state));
  // Plain values stay reactive.
  assert(isReactive(state.results));
});

test("Pinia keeps a VM in the state of a store", async () => {
  const pinia = createPinia();
  createSSRApp({}).use(pinia);
  const useStore = defineStore("scripts", {
    state: () => ({ luau, results: /** @type {unknown[]} */ ([]), error: undefined }),
  });
  await use(/** @type {any} */ (useStore(pinia)));
});

test("Alpine keeps a VM in its data", async () => {
  // Alpine requires these of a page while it loads, and Node lacks them. This test only needs its reactive state.
  const document = { createElement: () => ({}) };
  Object.assign(globalThis, { MutationObserver: class {}, Element: class {}, document, window: globalThis });
  // @ts-expect-error: Alpine has no types of its own.
  const { Alpine } = await import("alpinejs");
  await use(Alpine.reactive({ luau, results: [], error: undefined }));
});

test("classes have tags of their own, by which such libraries tell them from plain objects", async () => {
  const tag = (/** @type {unknown} */ value) => Object.prototype.toString.call(value);
  const [thread] = await luau.run("return coroutine.create(print)");
  assert.deepEqual([luau, LuauWorker.prototype, thread].map(tag), [
    "[object Luau]",
    "[object LuauWorker]",
    "[object LuauValue]",
  ]);
});
