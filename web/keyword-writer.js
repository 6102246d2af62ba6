// Runs the module keyword-writer (crates/keyword-writer) over one file after another, away from the page's thread. The
// page (web/src/tagging/writer.rs) sends `[number, request, file, sidecar]`: the JSON of a request, a Blob, a Blob or
// null. It gets `[number, reply]`, the JSON of a reply, or `[number, null, reason]`.

let compiling;
let last = Promise.resolve();

addEventListener("message", ({ data: [number, request, file, sidecar] }) => {
  // One at a time: a file and its copy are in memory.
  last = last
    .then(() => reply(request, file, sidecar))
    .then((json) => postMessage([number, json]))
    .catch((error) => postMessage([number, null, String(error instanceof Error ? error.message : error)]));
});

async function reply(request, file, sidecar) {
  compiling ??= compile().catch((error) => {
    // The next photo tries again.
    compiling = undefined;
    throw error;
  });
  const program = await compiling;
  const parts = [new TextEncoder().encode(request), await bytes(file), sidecar && (await bytes(sidecar))];
  // Each file gets memory of its own, which the browser takes back: a WebAssembly memory never shrinks.
  const { exports } = await WebAssembly.instantiate(program, {});
  // Numbers that WebAssembly gives are signed.
  const places = parts.map((part) => (part ? exports.allocate(part.length) >>> 0 : 0));
  parts.forEach((part, at) => {
    if (part) new Uint8Array(exports.memory.buffer, places[at], part.length).set(part);
  });
  const outcome = exports.reply(...parts.flatMap((part, at) => [places[at], part?.length ?? 0])) >>> 0;
  const [data, length] = new Uint32Array(exports.memory.buffer, outcome, 2);
  return new TextDecoder().decode(new Uint8Array(exports.memory.buffer, data, length));
}

async function bytes(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}

async function compile() {
  const response = await fetch(new URL("codecs/keyword-writer.wasm", import.meta.url));
  if (!response.ok) throw new Error(`codecs/keyword-writer.wasm: ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
