// onnxruntime-web on one execution provider.

import { get } from "./run.js";

export async function create({ provider, threads, model, tell }) {
    const dist = new URL("/node_modules/onnxruntime-web/dist/", location).href;
    const ort = await import(dist + (provider === "webgpu" ? "ort.webgpu.min.mjs" : "ort.wasm.min.mjs"));
    ort.env.wasm.wasmPaths = dist;
    ort.env.wasm.numThreads = threads;
    const options = { executionProviders: [provider] };
    if (tell) {
        // It says in its log alone which provider has which nodes.
        ort.env.logLevel = "verbose";
        options.logSeverityLevel = 0;
    }
    const session = await ort.InferenceSession.create(await get(model), options);
    return {
        // It sets this to 1 where it can't have more.
        threads: () => ort.env.wasm.numThreads,
        async run(pixels) {
            const input = new ort.Tensor("float32", pixels, [1, 3, 224, 224]);
            return (await session.run({ pixel_values: input })).logits.data;
        },
    };
}
