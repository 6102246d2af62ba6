// The web worker's entry: starts the program beside it. From then on the program talks to the page
// itself; what goes wrong before that is told here, in the protocol's own words.
//
// Browsers create a worker now and then whose script they never ask for: whoever hears nothing makes another.
self.postMessage(['{"type":"begun"}']);

// A promise that fails unseen would leave the page waiting: thrown again, it reaches the page as the
// worker's error.
self.addEventListener("unhandledrejection", (event) => {
  setTimeout(() => { throw event.reason; });
});

// A build with threads brings no memory of its own. What it may grow to is set aside at once, and some
// devices refuse much: 2 GiB, 1 GiB, 512 MiB, in pages of 64 KiB. Where not even that can be had, the build without
// threads has a memory that sets nothing aside and grows as it must.
const MAXIMA = [32768, 16384, 8192];
// At least what the module asks for.
const INITIAL = 64;

function sharedMemory() {
  let refusal;
  for (const maximum of MAXIMA) {
    try {
      return new WebAssembly.Memory({ initial: INITIAL, maximum, shared: true });
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

async function program(folder) {
  const glue = await import(new URL("glue.js", folder));
  const memory = "help" in glue ? sharedMemory() : undefined;
  await glue.default({ module_or_path: new URL("glue_bg.wasm", folder), memory });
  return glue;
}

// Held until this worker has ended, however it ends: the page waits for the same lock. Only a secure page has locks.
function holdLock() {
  if (!navigator.locks) return undefined;
  const name = `beitscope-worker-${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    navigator.locks.request(name, () => {
      resolve(name);
      return new Promise(() => {});
    }).catch(() => resolve(undefined));
  });
}

const reason = (error) => (error instanceof Error ? error.message : String(error));

try {
  const lock = await holdLock();
  const own = new URL(".", import.meta.url);
  const plain = new URL("../simd128/", own);
  try {
    (await program(own)).start(lock);
  } catch (error) {
    if (own.href === plain.href) throw error;
    // Slower, but it needs the least.
    (await program(plain)).start(lock, reason(error));
  }
} catch (error) {
  const fault = { kind: "not_started", reason: reason(error) };
  const message = `The classifier could not be started (${fault.reason}). Reload the page to try again.`;
  self.postMessage([JSON.stringify({ type: "load_failed", fault, message })]);
}
