// Beitscope's classifier for Node, Deno and Bun, which all have Node's threads and files. Photos never leave the machine.

import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { addressOf, photo } from "./node-source.js";
import { NodeWorker } from "./node-worker.js";
import { pipelineIn } from "./pipeline.js";
import { probe } from "./worker-builds.js";

export const pipeline = pipelineIn({
  name: "runtime",
  // No other site's code runs in the process, from which memory would have to be isolated.
  abilities: () => probe({ isolated: true, cores: availableParallelism() }),
  address: addressOf,
  check,
  createWorker: (address) => new NodeWorker(address),
  photo,
  isList: Array.isArray,
});

// What would be told less clearly once the worker has begun.
async function check(workers, manifest) {
  if (workers.protocol !== "file:") {
    throw new Error(`The workers are started from files: give the path of the folder workers/, not ${workers.href}.`);
  }
  await isThere(workers, `There are no workers in ${path(workers)}: give the path of the folder workers/ as workerUrl.`);
  if (manifest.protocol !== "file:") return;
  await isThere(
    manifest,
    `There is no model: ${path(manifest)} does not exist. Give the folder of a converted model, or the path or address ` +
      "of its manifest.json.",
  );
}

async function isThere(url, sentence) {
  try {
    await stat(url);
  } catch (cause) {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") throw new Error(sentence, { cause });
    throw new Error(`${path(url)} can't be read (${cause.message}).`, { cause });
  }
}

const path = (url) => fileURLToPath(url);
