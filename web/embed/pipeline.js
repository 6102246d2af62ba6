// `pipeline('image-classification')` in the convention of the libraries that answer `[{ label, score }]`, for any
// surroundings: a page (index.js), or Node, Deno and Bun (node.js).

import { Classifier } from "./classifier.js";
import { plan } from "./worker-builds.js";
import { startWorker } from "./worker-client.js";

const TASK = "image-classification";
const BACKENDS = ["auto", "cpu", "webgpu"];
// Beside this module's folder, where `cargo xtask build` and `cargo xtask package` put them.
const WORKERS = new URL("../workers/", import.meta.url);
const MODEL = new URL("../models/demo/manifest.json", import.meta.url);

// The function `pipeline`. Of the surroundings it wants
// - `name`: what runs this, for sentences;
// - `abilities()`: what it can do, as `plan` takes it;
// - `address(value)`: the URL that a string or URL means there;
// - `check(workers, manifest)`: rejects what would fail there without a clear reason;
// - `createWorker`: what `startWorker` takes, if it is not a browser's;
// - `photo(source)`: what the worker is sent of a photo;
// - `isList(sources)`: whether these are several photos.
export function pipelineIn(surroundings) {
  // Loads a model and gives the function that classifies photos with it.
  return async function pipeline(task, model, options = {}) {
    const { workerUrl = WORKERS, threads, backend = "auto", progress_callback: progress } = options;
    if (task !== TASK) throw new Error(`The one task is "${TASK}", not ${JSON.stringify(task)}.`);
    if (!BACKENDS.includes(backend)) throw new Error(`backend is one of ${BACKENDS.join(", ")}, not ${backend}.`);
    const manifest = manifestOf(model, surroundings);
    const workers = folder(address(workerUrl, "workerUrl", surroundings));
    const { build, threads: used } = chosen(threads, surroundings);
    const request = { manifest: manifest.href, device: backend, threads: used };

    const report = (event) => progress?.({ name: manifest.href, ...event });
    report({ status: "initiate", file: "weights" });
    await surroundings.check(workers, manifest);
    const start = (...calls) => startWorker(workers, build, ...calls, surroundings.createWorker);
    const classifier = await Classifier.load(start, request, (loading) => {
      const { phase, total, here, built } = loading;
      // What is in the browser's storage is as far as it is built.
      const loaded = phase === "download" ? here : built;
      if (phase !== "warm_up" && total > 0) {
        report({ status: "progress", file: "weights", progress: (100 * loaded) / total, loaded, total });
      }
    });
    report({ status: "done", file: "weights" });
    report({ status: "ready", task, model: classifier.model.name });
    return functionOf(classifier, surroundings);
  };
}

function functionOf(classifier, { photo, isList }) {
  const one = async (source, topK, lang) => {
    const { predictions, none_of: noneOf } = await classifier.classify(await photo(source), topK);
    const results = predictions.map(({ label, label_zh: zh, score }) => ({ label: (lang === "zh" && zh) || label, score }));
    // Not enumerable: what goes through the results sees classes alone, as in other libraries.
    return Object.defineProperty(results, "none_of_these", { value: typeof noneOf === "number" });
  };
  const classify = async (sources, { top_k: topK = 5, lang = "en" } = {}) => {
    const k = topK ?? classifier.model.classes;
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`top_k is a number from 1 on, or null for all; got ${topK}.`);
    if (!isList(sources)) return one(sources, k, lang);
    const results = [];
    // One at a time, as the worker takes them: a thousand addresses are not fetched at once.
    for (const source of sources) results.push(await one(source, k, lang));
    return results;
  };
  return Object.defineProperties(classify, {
    task: { value: TASK },
    model: { get: () => classifier.model },
    backend: { get: () => classifier.backend },
    build: { get: () => classifier.build },
    ended: { get: () => classifier.ended },
    dispose: { value: async () => classifier.end(new Error("The classifier was disposed of: make a new pipeline.")) },
  });
}

// The build of the worker and its number of threads.
function chosen(threads, { name, abilities }) {
  const plans = plan(null, threads, abilities());
  if (plans.refusal) {
    throw new Error(`This ${name} lacks WebAssembly SIMD, which the classifier needs: a newer ${name} has it.`);
  }
  if (plans.notice?.kind === "bad_threads") {
    const { most } = plans.notice;
    throw new RangeError(`threads goes from 0, which leaves the choice to the ${name}, to ${most}; got ${threads}.`);
  }
  return plans;
}

// A manifest's address, or the address of the folder that it is in.
function manifestOf(model, surroundings) {
  if (model === undefined || model === null) return MODEL;
  const url = address(model, "model", surroundings);
  return url.pathname.endsWith(".json") ? url : new URL("manifest.json", folder(url));
}

function folder(url) {
  const whole = new URL(url);
  if (!whole.pathname.endsWith("/")) whole.pathname += "/";
  return whole;
}

function address(value, name, surroundings) {
  try {
    const absolute = surroundings.address(value);
    if (["http:", "https:", "file:"].includes(absolute.protocol)) return absolute;
  } catch {
    // Told below.
  }
  throw new Error(`${name} is an address such as models/demo/manifest.json, not ${JSON.stringify(String(value))}.`);
}
