// Everything that the page needs, stored at the first visit: later ones need no network, and get threads.

// TypeScript's libraries know a window or a service worker, not both.
const scope = /** @type {any} */ (self);
const VERSION = "{{version}}"; // of all files, put in by tools/build_site.py
const FILES = ["{{files}}"]; // stored at once; others, such as ONNX Runtime and other painters, when they are first asked for

scope.addEventListener("install", (/** @type {any} */ event) => {
  // From the server itself: a cache on the way may still hold files of the release before.
  const files = FILES.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(
    caches
      .open(VERSION)
      .then((cache) => cache.addAll(files))
      .then(() => scope.skipWaiting()),
  );
});

scope.addEventListener("activate", (/** @type {any} */ event) => {
  const old = (/** @type {string[]} */ names) => names.filter((name) => name.startsWith("monet-") && name !== VERSION);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(old(names).map((name) => caches.delete(name))))
      .then(() => scope.clients.claim()),
  );
});

scope.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const inside = request.url.startsWith(scope.registration.scope);
  if (request.method === "GET" && inside) event.respondWith(answer(request));
});

/**
 * @param {Request} request
 */
async function answer(request) {
  const cache = await caches.open(VERSION);
  const found = await cache.match(request, { ignoreSearch: true });
  if (found) return isolated(found);
  const fresh = await (request.mode === "navigate" ? fetch(request) : fetch(request, { cache: "no-cache" }));
  if (fresh.status === 200) await cache.put(request, fresh.clone());
  return isolated(fresh);
}

/** The same answer with the two headers that let a page's threads share memory: most static hosts can't send them.
 * @param {Response} response
 */
function isolated(response) {
  if (response.type === "opaque" || response.redirected) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
