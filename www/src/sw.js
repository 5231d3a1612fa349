// The service worker: keeps the site, so that it opens without a network. Made into sw.js by plugins/offline.ts.

/** @type {string[]} */
const FILES = __FILES__;
/** There may be another copy of the site under another path. */
const CACHES = `luau-playground ${self.registration.scope} `;
/** Another for each build, so that what belongs together stays together. */
const CACHE = CACHES + __VERSION__;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(FILES);
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(CACHES) && name !== CACHE) {
          await caches.delete(name);
        }
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method === "GET" && url.href.startsWith(self.registration.scope)) {
    event.respondWith(request.mode === "navigate" ? navigation(request) : asset(request));
  }
});

/** The page: the newest where there is a network, since it names all else. */
async function navigation(request) {
  try {
    const response = await fetch(request);
    if (response.ok) {
      return response;
    }
  } catch {}
  const kept = await caches.match(new URL("./", self.registration.scope), { cacheName: CACHE });
  return kept ?? Response.error();
}

/** All else: what has a hash in its name never changes. */
async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept !== undefined) {
    return kept;
  }
  const response = await fetch(request);
  if (response.ok && new URL(request.url).pathname.includes("/assets/")) {
    await cache.put(request, response.clone());
  }
  return response;
}
