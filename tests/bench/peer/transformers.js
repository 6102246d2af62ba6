// transformers.js' pipeline as users get it: its defaults for the device, files as on the hub, a picture as input. Only
// the number of threads is set, and that nothing comes from elsewhere.

const BASE = "/node_modules/@huggingface/transformers/";

export async function create({ provider, threads, tell }) {
    const { pipeline, env } = await import(`${BASE}dist/transformers.min.js`);
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    // A path: with a whole address it takes the preprocessing for absent.
    env.localModelPath = "/transformers/";
    const { wasm } = env.backends.onnx;
    wasm.wasmPaths = new URL(`${BASE}node_modules/onnxruntime-web/dist/`, location).href;
    wasm.numThreads = threads;
    const options = { device: provider };
    if (tell) {
        env.backends.onnx.logLevel = "verbose";
        options.session_options = { logSeverityLevel: 0 };
    }
    const classifier = await pipeline("image-classification", "beitv2-large", options);
    return {
        threads: () => wasm.numThreads,
        // The pipeline takes pictures.
        onlyPhoto: true,
        async run() {
            const logits = new Array(1000);
            for (const { label, score } of await classifier(new URL("/photo.png", location).href, { top_k: 1000 })) {
                logits[Number(label)] = Math.log(score);
            }
            return logits;
        },
    };
}
