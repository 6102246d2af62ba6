// A thread of Node, Deno or Bun as a browser's worker sees itself: what the module that is named in `workerData` expects
// of its global scope. There is no storage, no GPU and no decoder of pictures but the module's own.

import { parentPort, workerData } from "node:worker_threads";

import { fetchFile } from "./node-fetch.js";
import { NodeWorker } from "./node-worker.js";

const events = new EventTarget();
const { fetch } = globalThis;
const noStorage = async () => {
  throw new Error("there is no storage outside a browser");
};

const scope = {
  self: globalThis,
  // By this the program knows where it is.
  WorkerGlobalScope: class WorkerGlobalScope {},
  location: new URL(workerData.script),
  isSecureContext: true,
  navigator: { userAgent: "", storage: { estimate: noStorage } },
  caches: { open: noStorage },
  createImageBitmap: undefined,
  Worker: NodeWorker,
  fetch: (address, options) => {
    const url = new URL(address);
    return url.protocol === "file:" ? fetchFile(url, options) : fetch(url, options);
  },
  onmessage: null,
  postMessage: (message) => parentPort.postMessage(message),
  addEventListener: events.addEventListener.bind(events),
  removeEventListener: events.removeEventListener.bind(events),
};
for (const [name, value] of Object.entries(scope)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

// Messages wait until there is somebody to hear them. Something has to listen at once: a thread that waits for its module
// alone is ended by Bun.
let waiting = [];
parentPort.on("message", (message) => (waiting ? waiting.push(message) : hear(message)));
await import(workerData.script);
waiting.forEach(hear);
waiting = null;

function hear(message) {
  const event = new MessageEvent("message", { data: withBlobs(message) });
  globalThis.onmessage?.(event);
  events.dispatchEvent(event);
}

// Photos come as bytes, since not every runtime can send a Blob to a thread.
function withBlobs(message) {
  if (!Array.isArray(message) || typeof message[0] !== "string") return message;
  return message.map((part) => (part instanceof Uint8Array ? new Blob([part]) : part));
}
