// Which build of the worker this browser can run, and on how many threads: the rules of the page. They stand in
// web/src/worker_build.rs and web/src/threads.rs, whose tests hold this file against them.

// A small WebAssembly module for each feature, as the browser's validator is asked about it.
const PROBES = {
  simd128: "0061736d010000000105016000017b030201000a16011400fd0c000000000000000000000000000000000b",
  relaxedSimd: "0061736d0100000001080160037b7b7b017b030201000a1201100020002001fd920220012002fd93020b",
  threads: "0061736d01000000010401600000030201000504010301010a0b0109004100fe1002001a0b",
};

// The builds by the names of their folders, fastest first, and what each asks for.
const BUILDS = [
  { name: "relaxed-threads", needs: ["simd128", "relaxedSimd", "sharedMemory"] },
  { name: "simd128-threads", needs: ["simd128", "sharedMemory", "sharing"] },
  { name: "simd128", needs: ["simd128"] },
];

// More threads than this are only used when asked for; more than that never.
const MOST_UNASKED = 16;
const MOST = 64;

// The build and the number of threads. `threads`: a number, 0 or nothing for one a processor.
export function plan(threads = 0) {
  if (!Number.isInteger(threads) || threads < 0 || threads > MOST) {
    throw new RangeError(`threads goes from 0, which leaves the choice to the browser, to ${MOST}; got ${threads}.`);
  }
  const abilities = probe();
  const build = BUILDS.find(({ needs }) => needs.every((need) => abilities[need]));
  if (!build) {
    throw new Error("This browser lacks WebAssembly SIMD, which the classifier needs: a newer browser has it.");
  }
  const possible = build.needs.includes("sharedMemory") && abilities.sharing;
  const unasked = Math.min(navigator.hardwareConcurrency || 1, MOST_UNASKED);
  return { build: build.name, threads: possible ? threads || unasked : 1 };
}

function probe() {
  // Rust's futures on shared memory need `waitAsync`.
  const canWait = typeof Atomics?.waitAsync === "function";
  const memory = understands(PROBES.threads) && canWait ? sharedMemory() : null;
  return {
    simd128: understands(PROBES.simd128),
    relaxedSimd: understands(PROBES.relaxedSimd),
    sharedMemory: memory !== null,
    sharing: memory !== null && globalThis.crossOriginIsolated === true && canSend(memory),
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
