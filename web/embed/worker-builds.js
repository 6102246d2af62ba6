// Which build of the worker a browser can run, and on how many threads: one table for the page and for other pages.

// A WebAssembly module with one unknown instruction is refused as a whole. So the browser's validator is asked about a
// small module for each feature, never the browser's name. A test in web/src/client.rs checks that each needs its own.
const PROBES = {
  simd128: "0061736d010000000105016000017b030201000a16011400fd0c000000000000000000000000000000000b",
  relaxedSimd: "0061736d0100000001080160037b7b7b017b030201000a1201100020002001fd920220012002fd93020b",
  threads: "0061736d01000000010401600000030201000504010301010a0b0109004100fe1002001a0b",
};

// The builds by the names of their folders, fastest first, and what each needs. Shared memory makes fixed-width SIMD
// no faster on one thread, so without more of them that build is only taken when it is asked for by name.
const BUILDS = [
  { name: "relaxed-threads", needs: ["simd128", "relaxedSimd", "sharedMemory"] },
  { name: "simd128-threads", needs: ["simd128", "sharedMemory"], pays: ["sharing"] },
  { name: "simd128", needs: ["simd128"] },
];

// The build that needs the least of the browser and of its memory.
export const PLAINEST = BUILDS[BUILDS.length - 1].name;

// More threads than this are only used when asked for, since each takes memory; more than that never.
const MOST_UNASKED = 16;
const MOST = 64;

// The build and the number of threads: `{ build, threads, notice }`, or `{ refusal }` where there is none to run. The
// notice says what keeps the classifier from more threads, if anything does. Both are read by crates/page/src/worker_setup.rs too.
// `build`: a build's name, or nothing for the fastest; `threads`: a number, or 0 or nothing for one a processor.
export function plan(build, threads, abilities = probe()) {
  const has = (ability) => abilities[ability];
  const runs = ({ needs }) => needs.every(has);
  const chosen = build
    ? BUILDS.find((listed) => listed.name === build && runs(listed))
    : BUILDS.find((listed) => runs(listed) && (listed.pays ?? []).every(has));
  if (!chosen) return { refusal: build ? { kind: "bad_build", name: build } : { kind: "no_simd" } };
  const asked = numberOfThreads(threads ?? 0);
  const shares = abilities.sharing && chosen.needs.includes("sharedMemory");
  const used = shares ? asked || Math.min(abilities.cores, MOST_UNASKED) : 1;
  return { build: chosen.name, threads: used, notice: notice(abilities, asked, { got: String(threads), used }) };
}

function notice({ isolated, sharing, cores }, asked, { got, used }) {
  if (asked === null) return { kind: "bad_threads", got, most: MOST, used };
  // One thread is what was asked for, or all there is.
  if (asked === 1 || cores === 1) return null;
  if (!isolated) return { kind: "not_isolated", cores };
  return sharing ? null : { kind: "no_sharing" };
}

function numberOfThreads(value) {
  const text = String(value).trim();
  return /^\d+$/.test(text) && Number(text) <= MOST ? Number(text) : null;
}

// What this browser, or other runtime, can do.
export function probe({ isolated, cores } = ofPage()) {
  // Rust's futures on shared memory need `waitAsync`; without it they would start a worker from a `data:` address.
  const canWait = typeof Atomics === "object" && typeof Atomics.waitAsync === "function";
  const memory = understands(PROBES.threads) && canWait ? sharedMemory() : null;
  return {
    simd128: understands(PROBES.simd128),
    relaxedSimd: understands(PROBES.relaxedSimd),
    sharedMemory: memory !== null,
    // A page that is not cross-origin isolated may not hand such memory to other threads.
    isolated,
    // WebKit on GTK refuses it to isolated pages too.
    sharing: isolated && memory !== null && canSend(memory),
    cores,
  };
}

function ofPage() {
  return {
    isolated: globalThis.crossOriginIsolated === true,
    // Logical processors; some browsers report fewer than there are.
    cores: Math.max(1, navigator.hardwareConcurrency || 1),
  };
}

function understands(module) {
  const bytes = module.match(/../g).map((digits) => parseInt(digits, 16));
  try {
    return WebAssembly.validate(new Uint8Array(bytes));
  } catch {
    return false;
  }
}

// Another question than whether the instructions are known.
function sharedMemory() {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  } catch {
    return null;
  }
}

// Whether a page may send this memory to other threads: having it is not enough.
function canSend(memory) {
  const { port1 } = new MessageChannel();
  try {
    port1.postMessage(memory);
    return typeof SharedArrayBuffer === "function";
  } catch {
    return false;
  } finally {
    port1.close();
  }
}
