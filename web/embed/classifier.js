// A classifier for other pages and programs: promises and sentences over what a worker replies (crates/protocol).

export class Classifier {
  #client;
  #calls;
  // Photos without an answer, by their ids: what was asked, and the promise to settle.
  #waiting = new Map();
  #last = 0;
  // Whether the worker has its model.
  #isReady = false;
  // Why it takes no more photos.
  #ended = null;
  model = null;
  backend = null;

  // One that has loaded its model. `start`: `startWorker` but for what it is to call; `request`: the manifest's address,
  // the device and the number of threads; `onLoading` hears of each step of loading.
  static load(start, request, onLoading) {
    return new Promise((resolve, reject) => {
      new Classifier(start, request, { onLoading, onReady: resolve, onEnd: reject });
    });
  }

  constructor(start, request, calls) {
    this.#calls = calls;
    const onReply = (reply) => this.#take(reply, request);
    const onReplaced = () => {
      this.#isReady = false;
    };
    const onEnd = (kind, reason) => this.end(new Error(this.#sentence(kind, reason)));
    this.#client = start(onReply, onReplaced, onEnd);
  }

  get build() {
    return this.#client.build;
  }

  get ended() {
    return this.#ended !== null;
  }

  // A photo's answer: the protocol's `Answer`.
  classify(blob, topK) {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { blob, topK, resolve, reject });
      this.#client.holdProcess(true);
      if (this.#isReady) this.#ask(id);
    });
  }

  // Ends the worker; what it had in hand fails for this reason.
  end(reason) {
    if (this.#ended) return;
    this.#ended = reason;
    this.#client.end();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    this.#calls.onEnd(reason);
  }

  #ask(id) {
    const { blob, topK } = this.#waiting.get(id);
    this.#client.post(JSON.stringify({ type: "classify", ids: [id], top_k: topK }), [blob]);
  }

  #take(reply, request) {
    switch (reply.type) {
      case "awake":
        // Whoever puts a classifier on a page has named its model, so its visitors are not asked whether to download it.
        return this.#client.post(JSON.stringify({ type: "load", ...request, agreed: true }));
      case "loading":
        return this.#calls.onLoading(reply);
      case "ready":
        return this.#ready(reply);
      case "load_failed":
        return this.end(new Error(reply.message));
      case "done":
        return this.#settle(reply.id)?.resolve(reply.answer);
      case "failed":
        return this.#settle(reply.id)?.reject(new Error(reply.message));
    }
  }

  // Comes again when the worker has left a GPU that failed, and then it keeps what it was asked.
  #ready({ model, backend }) {
    [this.model, this.backend] = [model, backend];
    if (!this.#isReady) this.#waiting.forEach((_, id) => this.#ask(id));
    this.#isReady = true;
    this.#rest();
    this.#calls.onReady(this);
  }

  #settle(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#rest();
    return waiting;
  }

  // A program that has nothing more to ask may end, though it has not disposed of this.
  #rest() {
    if (this.#isReady && this.#waiting.size === 0) this.#client.holdProcess(false);
  }

  #sentence(kind, reason) {
    if (kind === "misunderstood") {
      return `The classifier's worker is of another version than this module (${reason}): copy both anew.`;
    }
    const what = this.model ? "stopped unexpectedly" : "could not be fetched or started";
    return `The classifier's worker ${what}${reason && ` (${reason})`}. Make a new pipeline to try again.`;
  }
}
