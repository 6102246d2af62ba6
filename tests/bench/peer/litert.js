// LiteRT.js on one accelerator.

const BASE = "/node_modules/@litertjs/core/";

export async function create({ provider, threads, model }) {
    const { loadLiteRt, loadAndCompile, Tensor } = await import(`${BASE}dist/index.js`);
    await loadLiteRt(new URL(`${BASE}wasm/`, location).href, { threads: threads > 1 });
    const options = { accelerator: provider };
    if (provider === "wasm") {
        options.cpuOptions = { numThreads: threads };
    }
    const network = await loadAndCompile(new URL(`/${model}`, location).href, options);
    return {
        // Without shared memory its module with threads does not load.
        threads: () => threads,
        ran: `LiteRT.js, ${provider}`,
        async run(pixels) {
            const input = new Tensor(pixels, [1, 3, 224, 224]);
            const [output] = await network.run(input);
            input.delete();
            const here = await output.moveTo("wasm");
            const logits = here.toTypedArray().slice();
            here.delete();
            return logits;
        },
    };
}
