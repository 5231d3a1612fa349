// The service worker: caches the site so that it works offline. plugins/offline.ts turns this template into sw.js.

/** @type {string[]} */
const FILES = __FILES__;
/** Files that opening the site does not need. They are cached later. */
/** @type {string[]} */
const LATER = __LATER__;
/** The prefix of cache names. It contains the scope, because another copy of the site may exist under another path. */
const CACHES = `luau-playground ${self.registration.scope} `;
/** One cache per build, so that files of different builds do not mix. */
const CACHE = CACHES + __VERSION__;
/** The number of previous builds to keep: an open tab, or a page in the browser's cache, may still use one. */
const BUILDS_BEFORE = 1;

/** The address of the documentation. */
const DOCUMENTATION = new URL("docs/", self.registration.scope).href;

/** The longest wait for the network before the cached page is shown, in milliseconds. */
const PATIENCE = 3_000;

/** Bypasses the browser's cache, which may have files of the previous build. Files with a hash in their name never change. */
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
      // In order of creation.
      const others = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CACHE);
      for (const name of others.slice(0, Math.max(0, others.length - BUILDS_BEFORE))) {
        await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

// Sent by the page once it is idle.
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
  // The documentation is not cached: it would be larger than everything else.
  const isOurs = url.href.startsWith(self.registration.scope) && !url.href.startsWith(DOCUMENTATION);
  if (request.method === "GET" && isOurs) {
    event.respondWith(request.mode === "navigate" ? navigation(request) : asset(request));
  }
});

/** Returns the page, the newest if there is a network, because it names all other files. */
async function navigation(request) {
  try {
    const response = await fetch(request.url, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    if (response.ok) {
      // For navigations, browsers reject responses that were redirected.
      return response.redirected ? Response.redirect(response.url) : response;
    }
  } catch {}
  const kept = await caches.match(new URL("./", self.registration.scope), { cacheName: CACHE });
  return kept ?? Response.error();
}

/** Returns any other file. Files with a hash in their name never change. */
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

/** Returns a file for a page of a previous build. Only that build names it. */
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
