// The site's service worker: keeps the page's own files, so that it opens without a network, and stands
// between the page and the network for as long as the browser sees fit. Weights go past here: the page's
// worker keeps them itself.
//
// Registered as `service-worker.js?isolate`, it also makes the page cross-origin isolated on hosts that don't
// send the headers which browsers ask for before a page may use threads (web/src/isolation.rs).
const isolates = new URL(self.location).searchParams.has("isolate");

// The site's files and the hashes of their content. The build fills this in (crates/xtask/src/app_shell.rs), so
// any change of a file is a new version of this script.
const SHELL = {};

const SCOPE = new URL(self.registration.scope);
// Each site of an origin has a cache of its own: no site can tell what another still needs.
const KEPT = `beitscope-shell ${SCOPE.pathname}`;
// Earlier versions had one cache for all sites of the origin.
const SHARED = "beitscope-shell";

const PAGE = "index.html";
const INDEX = "models/index.json";
// The list of models and their manifests.
const MODELS = /^models\/[^?]*\.json$/;
// So many manifests are kept, the newest: as many as a list may name (web/src/models/list.rs).
const MOST_MANIFESTS = 64;
// No list and no manifest is longer, in bytes.
const LONGEST = 1 << 20;

// Of the site's files those that few visitors need, decoders of rare formats and what writes keywords: kept once they
// were asked for.
const isOnDemand = (path) => path.startsWith("codecs/");

// So long, in milliseconds, the network may take where something kept can be answered with.
const PATIENCE = 3_000;
// After so long without a byte a download is given up.
const STALL = 20_000;

const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

// Only these have a say in isolation.
const DECIDING = ["document", "iframe", "worker", "sharedworker"];

// A file's place in the cache: by its content, so that two versions of the site can be kept side by side.
const place = (path) => new URL(`${path}?content=${SHELL[path]}`, SCOPE).href;

self.addEventListener("install", (event) => {
  // Isolation begins, or ends, with the next load of the page, not once it is closed everywhere.
  const { active } = self.registration;
  if (active && active.scriptURL !== self.location.href) self.skipWaiting();
  event.waitUntil(install());
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
  // Which models there are may change without a new version of the page.
  if (request.method === "GET" && isOfModels(url)) return freshOrKept(event);
  const path = pathOf(url);
  const kept = request.method === "GET" && Object.hasOwn(SHELL, path);
  const isolated = isolates && DECIDING.includes(request.destination);
  if (kept || isolated) event.respondWith(answer(event, kept ? path : null, isolated));
});

// An address's path below the site.
function pathOf(url) {
  if (!url.pathname.startsWith(SCOPE.pathname)) return null;
  try {
    return decodeURIComponent(url.pathname.slice(SCOPE.pathname.length)) || PAGE;
  } catch {
    return null;
  }
}

// Whether an address is that of the list or of a manifest. One with a query is left to the network: there is no end
// of them, and so of what would be kept.
function isOfModels(url) {
  return url.origin === SCOPE.origin && MODELS.test(pathOf(url)) && url.search === "";
}

// Whether what came can be the list or a manifest. The error page of a broken server is not, nor the page of a network
// that wants its visitors to log in first.
function isGood(response, bytes) {
  if (!response.ok || /^text\/html\b/i.test(response.headers.get("content-type") ?? "")) return false;
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}

// Of the kept lists and manifests, oldest first: those that are too many.
function surplus(addresses) {
  const list = new URL(INDEX, SCOPE).href;
  const manifests = addresses.filter((address) => address !== list && isOfModels(new URL(address)));
  return manifests.slice(0, Math.max(0, manifests.length - MOST_MANIFESTS));
}

// Whether something kept is of use to this version of the site.
function isOfUse(address, places) {
  return places.has(address) || isOfModels(new URL(address));
}

const places = () => new Set(Object.keys(SHELL).map(place));

async function answer(event, path, isolated) {
  const kept = path && (await caches.match(place(path), { cacheName: KEPT }));
  const response = kept || (await fetchedOrSimilar(event.request, path));
  if (path && !kept && isOnDemand(path) && response.ok) {
    event.waitUntil(keepFile(path, response.clone()).catch(() => undefined));
  }
  // A redirection is followed by the browser, which then asks here again.
  if (!isolated || response.type === "opaqueredirect" || response.type === "error") return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

// What is not kept as this version has it: from the network, or, where that has nothing in time, as another version has
// it.
async function fetchedOrSimilar(request, path) {
  const any = { cacheName: KEPT, ignoreSearch: true };
  const similar = path && (await caches.match(new URL(path, SCOPE).href, any));
  const coming = fetch(request);
  return similar ? inTime(coming.then(refuseUnless(({ ok }) => ok))).catch(() => similar) : coming;
}

// As the server has it, if that is good and comes in time, else as it was the last time. Where nothing is kept, whatever
// comes.
function freshOrKept(event) {
  const { request } = event;
  const coming = download(request, {}, LONGEST);
  const good = coming.then(whole).then(refuseUnless(({ response, bytes }) => isGood(response, bytes)));
  // Also where it comes too late for this time.
  event.waitUntil(good.then(({ response, bytes }) => keep(request.url, copy(response, bytes))).catch(() => undefined));
  const best = async () => {
    const kept = await caches.match(request.url, { cacheName: KEPT }).catch(() => undefined);
    if (!kept) return (await coming).response;
    return inTime(good.then(({ response }) => response)).catch(() => kept);
  };
  event.respondWith(best());
}

const refuseUnless = (isFine) => (what) => {
  if (!isFine(what)) throw new Error("this is not what was asked for");
  return what;
};

function inTime(promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("it takes too long")), PATIENCE));
  return Promise.race([promise, late]);
}

// Begins to fetch something: the response, and `body`, a promise of its bytes, at most so many of them. Both come to an
// end: where the network falls silent, with an error.
async function download(request, options, most = Infinity) {
  const controller = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error(`no byte came for ${STALL / 1000} s`)), STALL);
  };
  heard();
  try {
    const response = await fetch(request, { ...options, signal: controller.signal });
    const body = read(response.clone().body, most, heard).finally(() => clearTimeout(timer));
    // Not everybody is interested in it.
    body.catch(() => undefined);
    return { response, body };
  } catch (error) {
    clearTimeout(timer);
    throw error;
  }
}

async function read(body, most, heard) {
  const parts = [];
  const reader = body?.getReader();
  for (let length = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    heard();
    parts.push(value);
    length += value.length;
    if (length > most) {
      // What the page reads of it goes on.
      reader.cancel().catch(() => undefined);
      throw new Error("it is too long");
    }
  }
  return new Blob(parts).arrayBuffer();
}

const whole = async ({ response, body }) => ({ response, bytes: await body });

// A response to be kept.
function copy(response, bytes) {
  const headers = new Headers(response.headers);
  // It is unpacked now.
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  return new Response(bytes, { headers });
}

// Keeps the list or a manifest.
async function keep(address, response) {
  const cache = await caches.open(KEPT);
  await cache.put(address, response);
  // Oldest first.
  const addresses = (await cache.keys()).map(({ url }) => url);
  for (const old of surplus(addresses)) await cache.delete(old);
}

async function install() {
  const cache = await caches.open(KEPT);
  await inherit(cache);
  await keepShell(cache);
  // The page gets on without them. What it asked for before this script had a say is asked for again.
  await keepModels(cache).catch(() => undefined);
}

// What an earlier version has kept in the cache that all sites of the origin shared.
async function inherit(cache) {
  if (!(await caches.has(SHARED))) return;
  const shared = await caches.open(SHARED);
  const wanted = places();
  for (const request of await shared.keys()) {
    if (!isOfUse(request.url, wanted) || (await cache.match(request))) continue;
    const kept = await shared.match(request);
    if (kept) await cache.put(request, kept);
  }
}

async function keepShell(cache) {
  const there = new Set((await cache.keys()).map((request) => request.url));
  const missing = Object.keys(SHELL).filter((path) => !isOnDemand(path) && !there.has(place(path)));
  // One after another: the model is on its way too, and it is what the visitor waits for. Where one cannot be had, the
  // browser installs this script at another time, and only what is missing then is fetched.
  for (const path of missing) {
    const { response, bytes } = await whole(await download(new URL(path, SCOPE), { cache: "no-cache" }));
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    await keepVersion(cache, path, response, bytes);
  }
}

// Keeps one of the site's files, if it is the one that this version has.
async function keepVersion(cache, path, response, bytes) {
  if ((await hash(bytes)) !== SHELL[path]) throw new Error(`${path} is of another version`);
  await cache.put(place(path), copy(response, bytes));
}

async function keepFile(path, response) {
  await keepVersion(await caches.open(KEPT), path, response, await response.clone().arrayBuffer());
}

// The list as it is now, and the manifests it names that are not kept yet.
async function keepModels(cache) {
  const list = await keepFresh(new URL(INDEX, SCOPE));
  const named = list.models.map(({ manifest }) => new URL(manifest, new URL(INDEX, SCOPE)));
  for (const url of named.filter(isOfModels).slice(0, MOST_MANIFESTS)) {
    if (!(await cache.match(url.href))) await keepFresh(url);
  }
}

async function keepFresh(url) {
  const { response, bytes } = await whole(await download(url, { cache: "no-cache" }, LONGEST));
  if (!isGood(response, bytes)) throw new Error(`${url} is not what it should be`);
  await keep(url.href, copy(response, bytes));
  return JSON.parse(new TextDecoder().decode(bytes));
}

// The first half of the content's SHA-256.
async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function dropOld() {
  const cache = await caches.open(KEPT);
  const wanted = places();
  for (const request of await cache.keys()) {
    if (!isOfUse(request.url, wanted)) await cache.delete(request);
  }
  if (!(await caches.has(SHARED))) return;
  const shared = await caches.open(SHARED);
  for (const request of await shared.keys()) {
    if (request.url.startsWith(SCOPE.href)) await shared.delete(request);
  }
  // Other sites of the origin may still be of an earlier version.
  if ((await shared.keys()).length === 0) await caches.delete(SHARED);
}
