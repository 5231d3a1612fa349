// A host in a process of Node, which is sent requests by its parent.

import { hostOf } from "./work.mjs";

const host = hostOf(/** @type {string} */ (process.argv[2]));

process.on("message", async (/** @type {import("./work.mjs").Request} */ request) => {
  const answer = await host.then(
    (ask) => ask(request),
    (error) => ({ error: String(error) }),
  );
  process.send?.(answer);
});
