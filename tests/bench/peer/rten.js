// rten as WebAssembly (tools/bench-peers/rten), on one thread: it has no others in a browser.

import { get } from "./run.js";

export async function create({ model }) {
    const module = await WebAssembly.compileStreaming(fetch("/rten_peer.wasm"));
    // Of wasm-bindgen's imports, which belong to rten's own JavaScript, none is called here.
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
        imports[from] ??= {};
        imports[from][name] = () => {
            throw new Error(`rten called ${from}.${name}`);
        };
    }
    const { exports } = await WebAssembly.instantiate(module, imports);
    const put = (bytes) => {
        const start = exports.allocate(bytes.length) >>> 0;
        new Uint8Array(exports.memory.buffer, start, bytes.length).set(bytes);
    };
    const check = (well) => {
        if (!well) {
            const text = new Uint8Array(exports.memory.buffer, exports.text() >>> 0, exports.text_bytes() >>> 0);
            throw new Error(new TextDecoder().decode(text));
        }
    };
    put(await get(model));
    check(exports.load());
    return {
        threads: () => 1,
        ran: "rten on the processor",
        async run(pixels) {
            put(new Uint8Array(pixels.buffer));
            check(exports.run(224));
            const start = exports.output() >>> 0;
            return new Float32Array(exports.memory.buffer, start, exports.outputs() >>> 0).slice();
        },
    };
}
