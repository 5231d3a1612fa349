// Each VM has its own instance of the WebAssembly module: its end affects no other VM, and its memory is freed.
//
// Tier: default; --full adds nine VMs that use up all their memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Luau, LuauError } from "../../pkg/node.js";
import { collectAll, collectUntil } from "../garbage.mjs";
import { isFull } from "../server/tier.mjs";
import { instances, remaining, ruin } from "./wasm-instances.mjs";

/**
 * @param {Promise<unknown>} promise
 * @param {string} kind
 */
const isRejected = (promise, kind) =>
  assert.rejects(promise, (error) => error instanceof LuauError && error.kind === kind);

test("a fault ends the VM in which it happens, and no other one", async () => {
  const bystander = await Luau.create();
  const waiting = bystander.run("task.wait(0.05) return 'still here'");
  const luau = await Luau.create({ globals: { ruin } });
  await isRejected(luau.run("ruin() return string.rep('x', 10)"), "terminated");
  await isRejected(luau.run("return 1"), "terminated");
  assert.deepEqual(await waiting, ["still here"]);
  assert.deepEqual(await bystander.run("return 1"), [1]);
  bystander.dispose();
});

test("dispose gives the memory back, whatever of the VM is still held", async () => {
  const luau = await Luau.create();
  const waiting = luau.run("task.wait(3600)");
  const [call, thread] = /** @type {any} */ (
    await luau.run("large = buffer.create(1e7) return function() end, coroutine.create(print)")
  );
  luau.dispose();
  await isRejected(waiting, "disposed");
  await collectUntil(() => remaining() === 0);
  await isRejected(call(), "disposed");
  await isRejected(luau.run("return 1"), "disposed");
  assert.throws(() => luau.get("large"), { kind: "disposed" });
  assert.match(String(thread), /^thread: /);
  luau.dispose();
});

test("a VM that is disposed by a function that its script calls ends in order", async () => {
  const luau = await Luau.create({ globals: { dispose: () => luau.dispose() } });
  await isRejected(luau.run("pcall(dispose) while true do task.wait() end"), "disposed");
  await collectAll();
  await isRejected(luau.run("return 1"), "disposed");
});

test("a VM that nobody holds any more, and that could not be made, gives its memory back too", async () => {
  await (async () => {
    const luau = await Luau.create();
    assert.deepEqual(await luau.run("return 1"), [1]);
  })();
  await assert.rejects(Luau.create({ globals: { big: 2n ** 80n } }), /big/);
  await assert.rejects(Luau.create({ memoryLimit: -1 }), TypeError);
  await collectUntil(() => remaining() === 0);
});

test("the 65th VM and later ones share the instances with the fewest, and work all the same", async () => {
  const before = instances.length;
  const vms = await Promise.all(Array.from({ length: 70 }, () => Luau.create()));
  assert.equal(instances.length - before, 64);
  const results = await Promise.all(
    vms.map((luau, index) => luau.run("mine = ... task.wait() return mine", { args: [index] })),
  );
  assert.deepEqual(
    results,
    vms.map((_, index) => [index]),
  );
  for (const luau of vms.splice(0, 64)) {
    luau.dispose();
  }
  for (const luau of vms) {
    assert.deepEqual(await luau.run("return 'alive'"), ["alive"]);
    luau.dispose();
  }
  await collectUntil(() => remaining() === 0);
  const luau = await Luau.create();
  assert.equal(instances.length - before, 65);
  luau.dispose();
});

test("VMs that are to share an instance do, until the last one of them is disposed", async () => {
  const before = instances.length;
  /** @type {import("../../pkg/node.js").LuauOptions} */
  const shared = { isolation: "shared" };
  const [one, other] = [await Luau.create(shared), await Luau.create(shared)];
  assert.equal(instances.length - before, 1);
  one.dispose();
  assert.deepEqual(await other.run("task.wait() return 1"), [1]);
  other.dispose();
  await isRejected(other.run("return 1"), "disposed");
  const next = await Luau.create(shared);
  assert.equal(instances.length - before, 2);
  assert.deepEqual(await next.run("return 1"), [1]);
  next.dispose();
  await assert.rejects(
    Luau.create(/** @type {any} */ ({ isolation: "none" })),
    /option isolation: neither "instance" nor "shared"/,
  );
});

test("VMs at their limits do not end one another", { skip: !isFull && "for --full" }, async () => {
  const vms = await Promise.all(Array.from({ length: 9 }, () => Luau.create({ globalScope: "vm" })));
  for (const luau of vms) {
    const [ok, message] = await luau.run(`
      kept = {}
      return pcall(function() while true do table.insert(kept, buffer.create(2e7)) end end)`);
    assert.equal(ok, false);
    assert.match(String(message), /not enough memory/);
  }
  for (const luau of vms) {
    assert.deepEqual(await luau.run("return #kept > 20"), [true]);
    luau.dispose();
  }
});
