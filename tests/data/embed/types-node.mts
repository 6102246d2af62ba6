// Compiles if web/embed/node.d.ts allows what it should and nothing else: `cargo xtask types`.
import { pipeline, type Classification, type Classifier } from "../../../web/embed/node.js";

const classify: Classifier = await pipeline("image-classification", "models/demo", { workerUrl: "workers", threads: 2 });
const one: Classification[] = await classify(new Uint8Array(3), { top_k: null, lang: "zh" });
const many: Classification[][] = await classify(["cat.jpg", new URL("file:///cat.jpg"), new Blob([]), new ArrayBuffer(3)]);
console.log(one[0]?.label, many[0]?.[0]?.score, classify.model.sha256, classify.backend.threads, classify.ended);
await classify.dispose();

// @ts-expect-error: what is on a page is on no other place
await classify(document.createElement("canvas"));
// @ts-expect-error: no photo
await classify(7);
