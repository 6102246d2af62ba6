// The line to a worker: starts it, loads a model, asks about photos. It speaks the page's own protocol
// (crates/protocol): each message is `[json, attachment?]`.

// After so many milliseconds a worker that has said nothing yet is given up: a program that never comes, on a connection
// that has fallen silent, raises no error. The page waits as long (web/src/client.rs).
const AWAKE_WITHIN = 120_000;

// A worker that has loaded its model. `loading` hears of each step of that.
export function start(address, request, loading) {
  return new Promise((resolve, reject) => {
    const client = new Client(worker(address));
    const reason = "The classifier's worker has said nothing for two minutes. Check the connection and try again.";
    const silence = setTimeout(() => client.end(new Error(reason)), AWAKE_WITHIN);
    client.onLoading = loading;
    client.onReady = () => resolve(client);
    client.onEnd = (ended) => {
      clearTimeout(silence);
      reject(ended);
    };
    // Whoever puts a classifier on a page has named its model, so its visitors are not asked whether to download it.
    client.onAwake = () => {
      clearTimeout(silence);
      client.post({ type: "load", ...request, agreed: true });
    };
  });
}

function worker(address) {
  const { origin, protocol } = new URL(document.baseURI);
  if (protocol === "file:") {
    throw new Error("A page that is opened as a file may start no worker: serve its folder over http.");
  }
  if (address.origin !== origin) {
    throw new Error(
      `A browser starts workers from the page's own origin alone, and ${address.href} is not of ${origin}: copy the ` +
        "folder workers/ of the built site to the page's own site, and give its address as workerUrl.",
    );
  }
  return new Worker(address, { type: "module" });
}

// A message of the worker; null if it is none of the protocol's.
function read(message) {
  try {
    return JSON.parse(message[0]);
  } catch {
    return null;
  }
}

class Client {
  #worker;
  #waiting = new Map();
  #last = 0;
  // Why it takes no more photos.
  #ended = null;
  model = null;
  backend = null;

  constructor(worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }) => {
      const reply = read(data);
      if (reply) this.#take(reply);
      else this.end(new Error("The classifier's worker is of another version than this module: copy both anew."));
    });
    worker.addEventListener("error", ({ message }) => {
      const reason = message ? ` (${message})` : "";
      const what = this.model ? "stopped unexpectedly" : "could not be fetched or started";
      this.end(new Error(`The classifier's worker ${what}${reason}. Make a new pipeline to try again.`));
    });
    worker.addEventListener("messageerror", () => this.end(new Error("A message of the worker could not be read.")));
  }

  post(request, attachment) {
    this.#worker.postMessage(attachment ? [JSON.stringify(request), attachment] : [JSON.stringify(request)]);
  }

  // A photo's answer: the protocol's `Answer`.
  classify(blob, topK) {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.post({ type: "classify", ids: [id], top_k: topK }, blob);
    });
  }

  get ended() {
    return this.#ended !== null;
  }

  // Ends the worker; what it had in hand fails for this reason.
  end(reason) {
    if (this.#ended) return;
    this.#ended = reason;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    this.onEnd?.(reason);
  }

  #take(reply) {
    switch (reply.type) {
      case "awake":
        this.#watch(reply.lock);
        return this.onAwake?.();
      case "loading":
        return this.onLoading?.(reply);
      case "ready":
        // Again after a GPU has failed and the network has moved.
        [this.model, this.backend] = [reply.model, reply.backend];
        return this.onReady?.();
      case "load_failed":
        return this.end(new Error(reply.message));
      case "done":
        return this.#settle(reply.id)?.resolve(reply.answer);
      case "failed":
        return this.#settle(reply.id)?.reject(new Error(reply.message));
    }
  }

  // A worker holds a lock of this name as long as it lives. One that the browser ends, such as for its memory, raises no
  // error, but lets go of the lock.
  #watch(lock) {
    // Pages without https have no locks.
    if (!lock || !navigator.locks) return;
    const reason = new Error(
      "The classifier's worker ended without a word, as when memory runs out. Make a new pipeline to try again.",
    );
    // After an end on purpose this changes nothing. The browser refuses where the page itself is about to go.
    navigator.locks.request(lock, () => this.end(reason)).catch(() => undefined);
  }

  #settle(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
