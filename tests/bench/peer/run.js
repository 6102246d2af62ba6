// Runs one contender. `given` is `Peer::given` (peer.rs); a module of this folder has a function `create(given)`, which
// gives { run(pixels) → logits, which may be off by a constant; threads() → how many it uses; ran: on what, where its log
// does not say so; onlyPhoto: it takes photo.png whatever the pixels are }.

const SIDE = 224;

/** All that is written to the console from now on. */
function listen() {
    const lines = [];
    for (const name of ["debug", "log", "info", "warn", "error"]) {
        const write = console[name].bind(console);
        console[name] = (...words) => {
            lines.push(words.join(" "));
            write(...words);
        };
    }
    return lines;
}

export async function run(given) {
    const lines = listen();
    const inputs = new Float32Array(await (await fetch("inputs.f32")).arrayBuffer());
    const one = 3 * SIDE * SIDE;
    const begun = performance.now();
    const { create } = await import(`./${given.runtime}.js`);
    const contender = await create(given);
    const answers = [];
    const classify = async (at) => {
        const pixels = inputs.slice(at * one, (at + 1) * one);
        const before = performance.now();
        const logits = await contender.run(pixels);
        const ms = performance.now() - before;
        answers.push({ input: contender.onlyPhoto ? 0 : at, logits: Array.from(logits) });
        return ms;
    };
    await classify(0);
    const first = (performance.now() - begun) / 1000;
    const steady = [];
    for (let at = 1; at <= given.photos; at++) {
        steady.push(await classify(at % (inputs.length / one)));
    }
    // What names a provider; a verbose runtime writes thousands of other lines.
    const placed = lines.filter((line) => /placed on|fall ?back|falling back|partially/i.test(line));
    const { ran = null, threads } = contender;
    // Without isolation a page has no shared memory, and runtimes go on with one thread.
    return { first, steady, answers, ran, threads: crossOriginIsolated ? threads() : 1, lines: placed.slice(0, 100) };
}

/** A file of the folder. */
export async function get(name) {
    const response = await fetch(name);
    if (!response.ok) {
        throw new Error(`${name}: ${response.status}`);
    }
    return new Uint8Array(await response.arrayBuffer());
}
