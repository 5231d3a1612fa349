// Values that cross between a page and its worker are released on both sides.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LuauError } from "../../pkg/vm/errors.js";
import { collectAll, collectUntil } from "../garbage.mjs";
import { anything, ends, Opaque, posted, returned, sent } from "./codecs.mjs";

test("what cannot be read is an error, and leaves nothing behind", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const detached = new ArrayBuffer(1);
  const view = new Uint8Array(detached);
  structuredClone(detached, { transfer: [detached] });
  const culprits = [
    proxy,
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("ownKeys");
        },
      },
    ),
    {
      get broken() {
        throw new Error("getter");
      },
    },
    detached,
    view,
    new Array(67_108_865),
  ];
  const both = ends();
  fc.assert(
    // By index, because fast-check would look into the values.
    fc.property(anything, fc.nat(culprits.length - 1), anything, (before, index, after) => {
      const culprit = culprits[index];
      const held = both.page.size;
      assert.throws(() => both.page.encode([before, { deeper: [culprit] }, after]));
      assert.equal(both.page.size, held);
    }),
    { numRuns: 200 },
  );
});

test("what the other side has let go of is let go of, however often it was sent", async () => {
  const both = ends();
  const { page, worker } = both;
  const kept = () => {};
  const stub = sent(page, worker, kept);
  for (let time = 0; time < 1_000; time++) {
    const value = [kept, () => time, new Opaque(), Symbol("symbol"), new Error("error")];
    returned(value, both);
    worker.decode(posted(page.encodeThrown({ message: "thrown" })));
    sent(worker, page, [() => time, new LuauError("error", { kind: "runtime", value: () => time })]);
  }
  assert(page.size > 1_000 && worker.size > 1_000);
  await collectUntil(() => page.size === 1 && worker.size === 0);
  assert.equal(returned(kept, both), kept);
  assert.equal(sent(page, worker, kept), stub);
});

test("what is sent again while the other side lets go of it is still there", async () => {
  const { page, worker } = ends();
  const value = () => {};
  sent(page, worker, value);
  const underWay = posted(page.encode([value]));
  await collectAll();
  const [stub] = worker.decode(underWay);
  await collectAll();
  assert.equal(page.size, 1);
  assert.equal(sent(worker, page, stub), value);
});
