// Beitscope's classifier for any page: `pipeline('image-classification')` in the convention of the libraries that
// answer `[{ label, score }]`. Photos never leave the page.

import { plan } from "./builds.js";
import { start } from "./client.js";
import { photo } from "./source.js";

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
  const chosen = plan(threads);
  const worker = new URL(`${chosen.build}/worker.js`, folder(workerUrl));
  const request = { manifest: manifest.href, device: backend, threads: chosen.threads };

  const tell = (event) => progress?.({ name: manifest.href, ...event });
  tell({ status: "initiate", file: "weights" });
  const client = await start(worker, request, (loading) => {
    const { phase, total, here, built } = loading;
    // What is in the browser's storage is as far as it is built.
    const loaded = phase === "download" ? here : built;
    if (phase !== "warm_up" && total > 0) {
      tell({ status: "progress", file: "weights", progress: (100 * loaded) / total, loaded, total });
    }
  });
  tell({ status: "done", file: "weights" });
  tell({ status: "ready", task, model: client.model.name });

  const one = async (source, topK, lang) => {
    const { predictions } = await client.classify(await photo(source), topK);
    return predictions.map(({ label, label_zh: zh, score }) => ({ label: (lang === "zh" && zh) || label, score }));
  };
  const classify = async (sources, { top_k: topK = 5, lang = "en" } = {}) => {
    const k = topK ?? client.model.classes;
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`top_k is a number from 1 on, or null for all; got ${topK}.`);
    if (!Array.isArray(sources) && !(sources instanceof FileList)) return one(sources, k, lang);
    const results = [];
    // One at a time, as the worker takes them: a thousand addresses are not fetched at once.
    for (const source of sources) results.push(await one(source, k, lang));
    return results;
  };
  Object.defineProperties(classify, {
    task: { value: task },
    model: { get: () => client.model },
    backend: { get: () => client.backend },
    build: { value: chosen.build },
    ended: { get: () => client.ended },
    dispose: { value: async () => client.end(new Error("The classifier was disposed of: make a new pipeline.")) },
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
