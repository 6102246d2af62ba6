// A browser's `Worker`, as far as the worker's client and the worker itself use one, over Node's threads.

import { Worker } from "node:worker_threads";

const SCOPE = new URL("node-worker-scope.js", import.meta.url);

export class NodeWorker extends EventTarget {
  onmessage = null;
  onerror = null;
  #thread;
  #isEnded = false;

  // Runs the module at this address.
  constructor(address) {
    super();
    this.#thread = new Worker(SCOPE, { workerData: { script: String(address) } });
    this.#thread.on("message", (data) => this.#tell(new MessageEvent("message", { data })));
    this.#thread.on("messageerror", (data) => this.#tell(new MessageEvent("messageerror", { data })));
    this.#thread.on("error", (error) => this.#end(error?.message ?? String(error)));
    this.#thread.on("exit", () => this.#end("it ended without a word"));
  }

  postMessage(message) {
    this.#thread.postMessage(message);
  }

  terminate() {
    this.#isEnded = true;
    this.#thread.terminate();
  }

  // Whether the process goes on for as long as this runs.
  ref() {
    this.#thread.ref();
  }

  unref() {
    this.#thread.unref();
  }

  #end(message) {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#tell(Object.assign(new Event("error"), { message }));
  }

  #tell(event) {
    this[`on${event.type}`]?.(event);
    this.dispatchEvent(event);
  }
}
