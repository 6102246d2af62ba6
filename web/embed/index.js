// Beitscope's classifier for any page: `pipeline('image-classification')` in the convention of the libraries that
// answer `[{ label, score }]`. Photos never leave the page.

import { Classifier } from "./classifier.js";
import { photo } from "./source.js";
import { plan } from "./worker-builds.js";

const TASK = "image-classification";
const BACKENDS = ["auto", "cpu", "webgpu"];
// Beside this module, where `cargo xtask build` puts them.
const WORKERS = new URL("../workers/", import.meta.url);
const MODEL = new URL("../models/demo/manifest.json", import.meta.url);

// Loads a model and gives the function that classifies photos with it.
export async function pipeline(task, model, options = {}) {
  const { workerUrl = WORKERS, threads, backend = "auto", progress_callback: progress } = options;
  if (task !== TASK) throw new Error(`The one task is "${TASK}", not ${JSON.stringify(task)}.`);
  if (!BACKENDS.includes(backend)) throw new Error(`backend is one of ${BACKENDS.join(", ")}, not ${backend}.`);
  const manifest = manifestOf(model);
  const chosen = plan(null, threads);
  if (chosen.refusal) {
    throw new Error("This browser lacks WebAssembly SIMD, which the classifier needs: a newer browser has it.");
  }
  if (chosen.notice?.kind === "bad_threads") {
    const { most } = chosen.notice;
    throw new RangeError(`threads goes from 0, which leaves the choice to the browser, to ${most}; got ${threads}.`);
  }
  const request = { manifest: manifest.href, device: backend, threads: chosen.threads };

  const report = (event) => progress?.({ name: manifest.href, ...event });
  report({ status: "initiate", file: "weights" });
  const classifier = await Classifier.load(folder(workerUrl), chosen.build, request, (loading) => {
    const { phase, total, here, built } = loading;
    // What is in the browser's storage is as far as it is built.
    const loaded = phase === "download" ? here : built;
    if (phase !== "warm_up" && total > 0) {
      report({ status: "progress", file: "weights", progress: (100 * loaded) / total, loaded, total });
    }
  });
  report({ status: "done", file: "weights" });
  report({ status: "ready", task, model: classifier.model.name });

  const one = async (source, topK, lang) => {
    const { predictions, none_of: noneOf } = await classifier.classify(await photo(source), topK);
    const results = predictions.map(({ label, label_zh: zh, score }) => ({ label: (lang === "zh" && zh) || label, score }));
    // Not enumerable: what goes through the results sees classes alone, as in other libraries.
    return Object.defineProperty(results, "none_of_these", { value: typeof noneOf === "number" });
  };
  const classify = async (sources, { top_k: topK = 5, lang = "en" } = {}) => {
    const k = topK ?? classifier.model.classes;
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`top_k is a number from 1 on, or null for all; got ${topK}.`);
    if (!Array.isArray(sources) && !(sources instanceof FileList)) return one(sources, k, lang);
    const results = [];
    // One at a time, as the worker takes them: a thousand addresses are not fetched at once.
    for (const source of sources) results.push(await one(source, k, lang));
    return results;
  };
  Object.defineProperties(classify, {
    task: { value: task },
    model: { get: () => classifier.model },
    backend: { get: () => classifier.backend },
    build: { get: () => classifier.build },
    ended: { get: () => classifier.ended },
    dispose: { value: async () => classifier.end(new Error("The classifier was disposed of: make a new pipeline.")) },
  });
  return classify;
}

// A manifest's address, or the address of the folder that it is in.
function manifestOf(model) {
  if (model === undefined || model === null) return MODEL;
  const url = address(model, "model");
  return url.pathname.endsWith(".json") ? url : new URL("manifest.json", folder(url));
}

function folder(url) {
  const absolute = address(url, "workerUrl");
  if (!absolute.pathname.endsWith("/")) absolute.pathname += "/";
  return absolute;
}

function address(url, name) {
  try {
    const absolute = new URL(url, document.baseURI);
    if (["http:", "https:", "file:"].includes(absolute.protocol)) return absolute;
  } catch {
    // Told below.
  }
  throw new Error(`${name} is an address such as models/demo/manifest.json, not ${JSON.stringify(String(url))}.`);
}
