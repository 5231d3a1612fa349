// A host in a Node process, which receives requests from its parent.

import { hostOf } from "./work.mjs";

const host = hostOf(/** @type {string} */ (process.argv[2]));

process.on("message", async (/** @type {import("./work.mjs").Request} */ request) => {
  const answer = await host.then(
    (ask) => ask(request),
    (error) => ({ error: String(error) }),
  );
  process.send?.(answer);
});
