// The connection to a worker, for the page (web/src/client.rs) and for other pages (classifier.js): starts the worker,
// starts another one where that helps, and notices its end, however it ends. Messages are those of crates/protocol.

import { PLAINEST } from "./worker-builds.js";

// After so many milliseconds a worker whose program does not run yet is given up: a program that never comes, on a
// connection that has fallen silent, raises no error.
const AWAKE_WITHIN = 120_000;

// Browsers create a worker now and then whose script they never ask for. After so many milliseconds without its first
// message another worker takes its place; after so many of those it is the network that is slow.
const BEGUN_WITHIN = 10_000;
const MOST_NOT_BEGUN = 2;

// Whether a worker with shared memory has broken down while it loaded a model: further ones are started without.
let withoutSharedMemory = false;

// Starts the worker of this build; `workers` is the address of the folder with all of them. `create` starts one with the
// script at an address, where that is another thing than a browser's `Worker`.
//
// `onReply` gets each reply, and the message that it came in. `onReplaced` is called when the worker has broken down
// while it loaded its model and another one takes its place, which is to be asked for everything anew once it is awake.
// `onEnd` is called at most once, and not after `end()`: the kind is "crashed" or "misunderstood"; the reason may be
// empty.
export function startWorker(workers, build, onReply, onReplaced, onEnd, create = browserWorker) {
  const client = { build: withoutSharedMemory ? PLAINEST : build, post, end, holdProcess };
  // Null once it has ended.
  let worker = null;
  let isLoading = false;
  let notBegun = 0;
  let beginTimer, awakeTimer;
  start();
  return client;

  // `files`: an array of what is sent beside the request.
  function post(json, files = []) {
    worker?.postMessage([json, ...files]);
  }

  // Whether the worker keeps its process from ending by itself: of no meaning in a browser.
  function holdProcess(holds) {
    if (holds) worker?.ref?.();
    else worker?.unref?.();
  }

  function end() {
    clearTimeout(beginTimer);
    clearTimeout(awakeTimer);
    worker?.terminate();
    worker = null;
  }

  function start() {
    const started = create(new URL(`${client.build}/worker.js`, workers));
    worker = started;
    isLoading = false;
    if (notBegun < MOST_NOT_BEGUN) beginTimer = setTimeout(replaceUnbegun, BEGUN_WITHIN);
    awakeTimer = setTimeout(crashed, AWAKE_WITHIN, "it has said nothing for two minutes");
    // The end of one that was replaced, or ended on purpose, is no news.
    const ifCurrent = (act) => (value) => {
      if (worker === started) act(value);
    };
    const ended = ifCurrent(crashed);
    started.addEventListener("message", ifCurrent(({ data }) => received(data, ended)));
    started.addEventListener("error", ({ message }) => ended(message ?? ""));
    started.addEventListener("messageerror", ifCurrent(() => failed("misunderstood", "a message could not be cloned")));
  }

  function received(message, ended) {
    const reply = read(message);
    if (!reply) return failed("misunderstood", "it is no message of the protocol");
    clearTimeout(beginTimer);
    if (reply.type !== "begun") clearTimeout(awakeTimer);
    if (reply.type === "awake") onWorkerDeath(reply.lock, () => ended("it ended without a word"));
    if (reply.type === "loading") isLoading = true;
    if (reply.type === "ready" || reply.type === "load_failed") isLoading = false;
    onReply(reply, message);
  }

  function replaceUnbegun() {
    notBegun += 1;
    restart();
  }

  function crashed(reason) {
    if (!isLoading || client.build === PLAINEST) return failed("crashed", reason);
    // Most often memory ran short: shared memory may not grow beyond what was set aside.
    withoutSharedMemory = true;
    client.build = PLAINEST;
    onReplaced();
    restart();
  }

  function restart() {
    end();
    try {
      start();
    } catch (error) {
      failed("crashed", error.message);
    }
  }

  function failed(kind, reason) {
    end();
    onEnd(kind, reason);
  }
}

function browserWorker(address) {
  return new Worker(address, { type: "module" });
}

// A message's reply; null if it is none of the protocol's.
function read(message) {
  try {
    return JSON.parse(message[0]);
  } catch {
    return null;
  }
}

// A worker holds a lock of this name as long as it lives. One that the browser ends, such as for its memory, raises no
// error, but lets go of the lock.
function onWorkerDeath(lock, ended) {
  // Pages without https have no locks.
  if (!lock || !navigator.locks) return;
  // The browser refuses where the page itself is about to go.
  navigator.locks.request(lock, ended).catch(() => undefined);
}
