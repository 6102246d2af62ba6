// The site's service worker: keeps the page's own files, so that it opens without a network, and stands
// between the page and the network for as long as the browser sees fit. Weights go past here: the page's
// worker keeps them itself.
//
// Registered as `service-worker.js?isolate`, it also makes the page cross-origin isolated on hosts that don't
// send the headers which browsers ask for before a page may use threads (web/src/isolation.rs).
const isolates = new URL(self.location).searchParams.has("isolate");

// The site's files and the hashes of their content. The build fills this in (crates/xtask/src/shell.rs), so
// any change of a file is a new version of this script.
const SHELL = {};

const KEPT = "beitscope-shell";
const PAGE = "index.html";
const INDEX = "models/index.json";
const MODELS = /^models\/[^?]*\.json$/;

const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

// Only these have a say in isolation.
const DECIDING = ["document", "iframe", "worker", "sharedworker"];

// A file's place in the cache: by its content, so that two versions of the site can be kept side by side.
const place = (path) => new URL(`${path}?content=${SHELL[path]}`, self.registration.scope).href;

self.addEventListener("install", (event) => {
  // Isolation begins, or ends, with the next load of the page, not once it is closed everywhere.
  const { active } = self.registration;
  if (active && active.scriptURL !== self.location.href) self.skipWaiting();
  event.waitUntil(keepShell());
});

// A new version waits until the visitor asks for it, or until the page is closed everywhere.
self.addEventListener("message", ({ data }) => {
  if (data === "take over") self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  // No clients.claim(): it waits until every worker of the page has heard of it, and the network's threads hear
  // nothing as long as they live. The page is this worker's from its next load on.
  event.waitUntil(dropOld());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  const path = pathOf(url);
  // Which models there are may change without a new version of the page.
  if (request.method === "GET" && MODELS.test(path)) return event.respondWith(freshOrKept(request));
  const kept = request.method === "GET" && path in SHELL;
  const isolated = isolates && DECIDING.includes(request.destination);
  if (kept || isolated) event.respondWith(answer(request, kept ? path : null, isolated));
});

function pathOf(url) {
  const scope = new URL(self.registration.scope).pathname;
  if (!url.pathname.startsWith(scope)) return null;
  try {
    return decodeURIComponent(url.pathname.slice(scope.length)) || PAGE;
  } catch {
    return null;
  }
}

async function answer(request, path, isolated) {
  const cache = path && (await caches.open(KEPT));
  const response = (cache && (await cache.match(place(path)))) || (await fetch(request));
  // A redirection is followed by the browser, which then asks here again.
  if (!isolated || response.type === "opaqueredirect" || response.type === "error") return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

// As the server has it, else as it was the last time.
async function freshOrKept(request) {
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request.url, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request.url);
    if (kept) return kept;
    throw error;
  }
}

async function keepShell() {
  const cache = await caches.open(KEPT);
  const there = new Set((await cache.keys()).map((request) => request.url));
  const missing = Object.keys(SHELL).filter((path) => !there.has(place(path)));
  // One after another: the model is on its way too, and it is what the visitor waits for.
  for (const path of missing) {
    const response = await fetch(new URL(path, self.registration.scope), { cache: "no-cache" });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    const bytes = await response.arrayBuffer();
    if ((await hash(bytes)) !== SHELL[path]) throw new Error(`${path} is of another version`);
    const headers = new Headers(response.headers);
    // It is unpacked now.
    for (const name of ["content-encoding", "content-length"]) headers.delete(name);
    await cache.put(place(path), new Response(bytes, { headers }));
  }
  // On the first visit it was asked for before this script had a say.
  await freshOrKept(new Request(new URL(INDEX, self.registration.scope))).catch(() => undefined);
}

// The first half of the content's SHA-256.
async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function dropOld() {
  const cache = await caches.open(KEPT);
  const wanted = new Set(Object.keys(SHELL).map(place));
  const models = new URL("models/", self.registration.scope).href;
  for (const request of await cache.keys()) {
    if (!request.url.startsWith(models) && !wanted.has(request.url)) await cache.delete(request);
  }
}
