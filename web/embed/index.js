// Beitscope's classifier for any page. Photos never leave the page.

import { pipelineIn } from "./pipeline.js";
import { photo } from "./source.js";
import { probe } from "./worker-builds.js";

export const pipeline = pipelineIn({
  name: "browser",
  abilities: () => probe(),
  address: (value) => new URL(value, document.baseURI),
  check,
  photo,
  isList: (sources) => Array.isArray(sources) || sources instanceof FileList,
});

// What a browser would refuse in words of its own.
async function check(workers) {
  const { origin, protocol } = new URL(document.baseURI);
  if (protocol === "file:") {
    throw new Error("A page that is opened as a file may start no worker: serve its folder over http.");
  }
  if (workers.origin !== origin) {
    throw new Error(
      `A browser starts workers from the page's own origin alone, and ${workers.href} is not of ${origin}: copy the ` +
        "folder workers/ of the built site to the page's own site, and give its address as workerUrl.",
    );
  }
}
