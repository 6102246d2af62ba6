// Reads entries of the browser's storage on a thread of its own: the worker's is busy laying out what came before, and
// a body only comes while the thread that wants it is idle. Answers each [id, cache, key] with [id, bytes, checksum],
// the latter two null where there is no such entry.
self.addEventListener("message", async ({ data: [id, cache, key] }) => {
  try {
    const entry = await (await caches.open(cache)).match(key);
    const bytes = entry ? await entry.arrayBuffer() : null;
    self.postMessage([id, bytes, entry?.headers.get("x-checksum") ?? null], bytes ? [bytes] : []);
  } catch {
    self.postMessage([id, null, null]);
  }
});
