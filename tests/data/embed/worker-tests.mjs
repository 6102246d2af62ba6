// Tests of `web/embed/worker-builds.js` and `worker-client.js`, which tests/embed.rs runs in a browser. They need none:
// node -e 'import("./tests/data/embed/worker-tests.mjs").then((t) => t.run(`file://${process.cwd()}/web/embed/`)).then(console.log)'

// Runs all tests over the modules in this folder; gives what has failed, in sentences.
export async function run(folder) {
  const failures = [];
  let turn = 0;
  for (const [name, test] of Object.entries(TESTS)) {
    // Each has the modules to itself: they remember breakdowns.
    const load = (file) => import(new URL(`${file}?${++turn}`, folder));
    const browser = new Browser();
    try {
      await test({ browser, ...(await load("worker-builds.js")), ...(await load("worker-client.js")) });
    } catch (error) {
      failures.push(`${name}: ${error.message}`);
    } finally {
      browser.leave();
    }
  }
  return failures;
}

function same(got, expected, what = "") {
  [got, expected] = [JSON.stringify(got), JSON.stringify(expected)];
  if (got !== expected) throw new Error(`${what} got ${got}, expected ${expected}`);
}

// Stands in for the browser's workers, clock and locks.
class Browser {
  workers = [];
  waiting = [];
  locks = new Map();
  // What the next worker's making throws.
  refusal = null;
  #own = ["Worker", "setTimeout", "clearTimeout", "navigator"].map((name) => [
    name,
    Object.getOwnPropertyDescriptor(globalThis, name),
  ]);

  constructor() {
    const browser = this;
    class Worker {
      heard = {};
      sent = [];
      terminated = false;
      constructor(address) {
        if (browser.refusal) throw browser.refusal;
        this.build = new URL(address).pathname.split("/").at(-2);
        browser.workers.push(this);
      }
      addEventListener = (type, act) => (this.heard[type] = act);
      postMessage = (message) => this.sent.push(message);
      terminate = () => (this.terminated = true);
      say = (reply) => this.heard.message({ data: [JSON.stringify(reply)] });
      die = (message) => this.heard.error({ message });
    }
    const set = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    set("Worker", Worker);
    set("setTimeout", (act, ms, ...values) => this.waiting.push({ act, ms, values }));
    set("clearTimeout", (id) => delete this.waiting[id - 1]);
    set("navigator", { locks: { request: async (name, act) => this.locks.set(name, act) } });
  }

  // So many milliseconds after the newest worker was started.
  pass(ms) {
    this.waiting.forEach((timer, index) => {
      if (timer.ms > ms) return;
      delete this.waiting[index];
      timer.act(...timer.values);
    });
  }

  leave() {
    for (const [name, property] of this.#own) {
      delete globalThis[name];
      if (property) Object.defineProperty(globalThis, name, property);
    }
  }

  // Starts a client of this build; what it tells is listed.
  start(startWorker, build = "relaxed-threads") {
    const told = [];
    const onReply = ({ type }) => told.push(type);
    const client = startWorker("http://host/workers/", build, onReply, () => told.push("replaced"), (kind, reason) => told.push(`${kind}: ${reason}`));
    return { client, told, worker: this.workers.at(-1) };
  }
}

const ALL = { simd128: true, relaxedSimd: true, sharedMemory: true, isolated: true, sharing: true, cores: 4 };
const RELAXED = "relaxed-threads";

const TESTS = {
  "the fastest build is what the browser can run"({ plan }) {
    const cases = [
      [{}, RELAXED],
      [{ relaxedSimd: false }, "simd128-threads"],
      [{ sharedMemory: false, sharing: false }, "simd128"],
      [{ sharing: false }, RELAXED],
      [{ relaxedSimd: false, sharing: false }, "simd128"],
    ];
    for (const [lacks, build] of cases) same(plan(null, 0, { ...ALL, ...lacks }).build, build, JSON.stringify(lacks));
    same(plan(null, 0, { ...ALL, simd128: false }), { refusal: { kind: "no_simd" } });
  },

  "a build can be asked for by name"({ plan }) {
    same(plan("simd128-threads", null, ALL), { build: "simd128-threads", threads: 4, notice: null });
    same(plan("simd128", null, ALL).threads, 1);
    same(plan("simd128-threads", null, { ...ALL, sharing: false }).build, "simd128-threads");
    same(plan("neon", null, ALL), { refusal: { kind: "bad_build", name: "neon" } });
    const refusal = { kind: "bad_build", name: RELAXED };
    same(plan(RELAXED, null, { ...ALL, relaxedSimd: false }), { refusal });
  },

  "every processor has a thread unless another number is asked for"({ plan }) {
    const cases = [[undefined, 4], [null, 4], ["0", 4], [0, 4], ["1", 1], [2, 2], [" 3 ", 3], ["7", 7], [64, 64]];
    for (const [asked, threads] of cases) {
      same(plan(null, asked, ALL), { build: RELAXED, threads, notice: null }, `threads=${asked}`);
    }
    same(plan(null, 0, { ...ALL, cores: 128 }).threads, 16);
  },

  "what is no number of threads is told and left out of account"({ plan }) {
    for (const got of ["two", "-1", "1.5", "65", "99999999999999999999", "1e1", "0x2"]) {
      const notice = { kind: "bad_threads", got, most: 64, used: 4 };
      same(plan(null, got, ALL), { build: RELAXED, threads: 4, notice });
    }
  },

  "without isolation there is one thread and a notice"({ plan }) {
    const open = { ...ALL, isolated: false, sharing: false };
    for (const asked of [null, 0, 4]) {
      const { threads, notice } = plan(null, asked, open);
      same([threads, notice], [1, { kind: "not_isolated", cores: 4 }], `threads=${asked}`);
    }
    same(plan(null, 1, open).notice, null, "that is what was asked for:");
    same(plan(null, 0, { ...open, cores: 1 }).notice, null, "isolation would change nothing:");
    const { build, threads } = plan(null, 0, { ...open, sharedMemory: false });
    same([build, threads], ["simd128", 1]);
  },

  // As in WebKit on GTK.
  "without memory to share there is one thread and nothing that would help"({ plan }) {
    const alone = { ...ALL, relaxedSimd: false, sharing: false };
    for (const asked of [null, 0, 4]) {
      same(plan(null, asked, alone), { build: "simd128", threads: 1, notice: { kind: "no_sharing" } });
    }
    same(plan(null, 1, alone).notice, null, "that is what was asked for:");
    same(plan(null, 0, { ...alone, cores: 1 }).notice, null, "sharing would change nothing:");
  },

  "this browser is asked, and has a plan"({ plan }) {
    const { build, threads } = plan();
    same([typeof build, threads >= 1], ["string", true]);
  },

  // Browsers create a worker now and then whose script they never ask for.
  "a worker whose script does not begin is replaced a few times"({ browser, startWorker }) {
    const { told } = browser.start(startWorker);
    for (const workers of [2, 3, 3]) {
      browser.pass(10_000);
      same(browser.workers.length, workers);
    }
    same(browser.workers.map(({ terminated }) => terminated), [true, true, false], "the network is slow:");
    browser.workers[2].say({ type: "begun" });
    same(told, ["begun"], "nobody is told of a breakdown:");
  },

  "one whose script begins is not replaced, and given up where its program does not come"({ browser, startWorker }) {
    const { told, worker } = browser.start(startWorker);
    worker.say({ type: "begun" });
    browser.pass(10_000);
    same(browser.workers.length, 1);
    browser.pass(120_000);
    same(told, ["begun", "crashed: it has said nothing for two minutes"]);
    same(worker.terminated, true);
  },

  "one that is awake may take its time"({ browser, startWorker }) {
    const { told, worker } = browser.start(startWorker);
    worker.say({ type: "begun" });
    worker.say({ type: "awake" });
    browser.pass(1e9);
    same(told, ["begun", "awake"]);
  },

  "an error ends it, once"({ browser, startWorker }) {
    const { client, told, worker } = browser.start(startWorker);
    worker.die("unreachable");
    worker.die("unreachable");
    worker.say({ type: "awake" });
    client.post("{}");
    same([told, worker.terminated, worker.sent], [["crashed: unreachable"], true, []]);
    // A script that could not be fetched says nothing.
    const other = browser.start(startWorker);
    other.worker.die(undefined);
    same(other.told, ["crashed: "]);
  },

  "what is not of the protocol ends it"({ browser, startWorker }) {
    const { told, worker } = browser.start(startWorker);
    worker.heard.message({ data: "hello" });
    same([told, worker.terminated], [["misunderstood: it is no message of the protocol"], true]);
  },

  "one that ends without a word lets go of its lock"({ browser, startWorker }) {
    const { told, worker } = browser.start(startWorker);
    worker.say({ type: "awake", lock: "lock-1" });
    worker.say({ type: "ready" });
    browser.locks.get("lock-1")();
    same(told, ["awake", "ready", "crashed: it ended without a word"]);
  },

  "an end on purpose is not told"({ browser, startWorker }) {
    const { client, told, worker } = browser.start(startWorker);
    worker.say({ type: "awake", lock: "lock-1" });
    client.end();
    browser.locks.get("lock-1")();
    browser.pass(1e9);
    same([told, worker.terminated, browser.workers.length], [["awake"], true, 1]);
  },

  "one that breaks down while it loads is followed by the plainest build, once"({ browser, startWorker }) {
    const { client, told, worker } = browser.start(startWorker);
    worker.say({ type: "awake", lock: "lock-1" });
    worker.say({ type: "loading" });
    worker.die("memory");
    const plain = browser.workers.at(-1);
    same([client.build, plain.build, worker.terminated], ["simd128", "simd128", true]);
    browser.locks.get("lock-1")();
    client.post("{}", ["file"]);
    same(plain.sent, [["{}", "file"]]);
    plain.say({ type: "awake" });
    plain.say({ type: "loading" });
    plain.die("memory");
    same(told, ["awake", "loading", "replaced", "awake", "loading", "crashed: memory"]);
    same(browser.start(startWorker).worker.build, "simd128", "from then on:");
  },

  "one that breaks down with its model is left to whoever started it"({ browser, startWorker }) {
    const { told, worker } = browser.start(startWorker);
    for (const type of ["awake", "loading", "ready"]) worker.say({ type });
    worker.die("unreachable");
    same([told.at(-1), browser.workers.length], ["crashed: unreachable", 1]);
    same(browser.start(startWorker).worker.build, RELAXED);
  },

  "a browser that refuses another worker is told"({ browser, startWorker }) {
    const { told, worker } = browser.start(startWorker);
    worker.say({ type: "loading" });
    browser.refusal = new Error("no more workers");
    worker.die("memory");
    same(told, ["loading", "replaced", "crashed: no more workers"]);
  },
};
