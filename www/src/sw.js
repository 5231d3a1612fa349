// The service worker: keeps the site, so that it opens without a network. Made into sw.js by plugins/offline.ts.

/** @type {string[]} */
const FILES = __FILES__;
/** What is not needed to open the site, and is fetched when there is time. */
/** @type {string[]} */
const LATER = __LATER__;
/** There may be another copy of the site under another path. */
const CACHES = `luau-playground ${self.registration.scope} `;
/** Another for each build, so that what belongs together stays together. */
const CACHE = CACHES + __VERSION__;
/** How many builds before this one are kept: a tab, or a page that the browser kept, may still be of one of them. */
const BUILDS_BEFORE = 1;

/** Where the documentation is. */
const DOCUMENTATION = new URL("docs/", self.registration.scope).href;

/** How long the network may take before the page that is kept is shown, in milliseconds. */
const PATIENCE = 3_000;

/** Past what the browser itself keeps, which may be of the build before: but what has a hash in its name is of this one. */
const fresh = (file) => new Request(file, { cache: file.includes("/assets/") ? "default" : "reload" });

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(FILES.map(fresh));
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      // In the order in which they were made.
      const others = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CACHE);
      for (const name of others.slice(0, Math.max(0, others.length - BUILDS_BEFORE))) {
        await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

// Asked by the page once it is at rest.
self.addEventListener("message", (event) => {
  if (event.data === "keep the rest") {
    event.waitUntil(
      (async () => {
        const cache = await caches.open(CACHE);
        for (const file of LATER) {
          if ((await cache.match(file)) === undefined) {
            await cache.add(file);
          }
        }
      })().catch(() => {}),
    );
  }
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // The documentation is not kept: it would be larger than all the rest.
  const isOurs = url.href.startsWith(self.registration.scope) && !url.href.startsWith(DOCUMENTATION);
  if (request.method === "GET" && isOurs) {
    event.respondWith(request.mode === "navigate" ? navigation(request) : asset(request));
  }
});

/** The page: the newest where there is a network, since it names all else. */
async function navigation(request) {
  try {
    const response = await fetch(request.url, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    if (response.ok) {
      // The browser takes no answer from here that comes from another address than it asked for.
      return response.redirected ? Response.redirect(response.url) : response;
    }
  } catch {}
  const kept = await caches.match(new URL("./", self.registration.scope), { cacheName: CACHE });
  return kept ?? Response.error();
}

/** All else: what has a hash in its name never changes. */
async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = (await cache.match(request, { ignoreSearch: true })) ?? (await ofBefore(request));
  if (kept !== undefined) {
    return kept;
  }
  const response = await fetch(request);
  if (response.ok && new URL(request.url).pathname.includes("/assets/")) {
    await cache.put(request, response.clone());
  }
  return response;
}

/** For a page of the build before: nobody else names what only that one has. */
async function ofBefore(request) {
  if (!new URL(request.url).pathname.includes("/assets/")) {
    return undefined;
  }
  for (const name of await caches.keys()) {
    const kept = name.startsWith(CACHES) && (await caches.match(request, { cacheName: name }));
    if (kept) {
      return kept;
    }
  }
  return undefined;
}
