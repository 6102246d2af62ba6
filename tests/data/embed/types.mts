// Compiles if web/embed/index.d.ts and photo-classifier.d.ts allow what they should and nothing else:
// `cargo xtask types`.
import { pipeline, type Classification, type Classifier, type ProgressEvent } from "../../../web/embed/index.js";
import { PhotoClassifier } from "../../../web/embed/photo-classifier.js";

const classify: Classifier = await pipeline("image-classification", "models/demo/", {
  workerUrl: new URL("workers/", location.href),
  threads: 2,
  backend: "cpu",
  progress_callback(event: ProgressEvent) {
    if (event.status === "progress") console.log(event.loaded / event.total, event.progress);
    // @ts-expect-error: only a step of the download is measured
    else console.log(event.loaded);
  },
});
const one: Classification[] = await classify(new File([], "cat.jpg"), { top_k: null, lang: "zh" });
const many: Classification[][] = await classify(["cat.jpg", new Image(), document.createElement("canvas")]);
console.log(one[0]?.label, many[0]?.[0]?.score, classify.model.sha256, classify.backend.threads);
await classify.dispose();

const element: PhotoClassifier = document.createElement("photo-classifier");
element.addEventListener("result", ({ detail }) => console.log(detail.results[0]?.label, detail.photo.size));
element.addEventListener("error", (event) => console.log(event.detail.error.message));
element.addEventListener("click", () => element.dispose());
const shown: Classification[] = await element.classify("cat.jpg");
console.log(shown, element.topK, (await element.load()).build);

// @ts-expect-error: the one task
await pipeline("text-generation");
// @ts-expect-error: no photo
await classify(7);
// @ts-expect-error: no backend
await pipeline("image-classification", null, { backend: "abacus" });
