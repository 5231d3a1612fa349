// A host in a worker of a page.

import { hostOf } from "./work.mjs";

const host = hostOf(/** @type {string} */ (new URLSearchParams(location.search).get("peer")));

self.onmessage = async ({ data }) => {
  const answer = await host.then(
    (ask) => ask(data),
    (error) => ({ error: String(error) }),
  );
  self.postMessage(answer);
};
