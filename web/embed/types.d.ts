// What is the same in a page and in Node, Deno and Bun.

/** What is on a photo, and how sure the network is: 0 to 1. */
export interface Classification {
  label: string;
  score: number;
}

/** A photo's classes, best first. */
export interface Classifications extends Array<Classification> {
  /** The photo most likely shows none of the model's classes; never true for a model without a threshold for that. */
  readonly none_of_these: boolean;
}

/** What the network runs on; `auto`: the GPU where there is one, its answers are right and it is faster. */
export type Backend = "auto" | "cpu" | "webgpu";

/** A step of loading the model. `name` is its manifest's address, at the end its own name. */
export type ProgressEvent =
  | { status: "initiate" | "done"; name: string; file: string }
  | { status: "progress"; name: string; file: string; /** 0 to 100 */ progress: number; /** Bytes. */ loaded: number; total: number }
  | { status: "ready"; name: string; task: "image-classification"; model: string };

export interface ClassifyOptions {
  /** How many classes, best first: 5 unless given, all with null. */
  top_k?: number | null;
  /** The labels' language. */
  lang?: "en" | "zh";
}

/** The loaded model. */
export interface Model {
  name: string;
  /** `q8_0`, `q4_0`, `f16` or `f32`. */
  quantization: string;
  bytes: number;
  parameters: number;
  classes: number;
  /** Side of the square that the network sees, in pixels. */
  image_size: number;
  /** The model card's address. */
  card: string | null;
  /** What the weights are known by: the SHA-256 of their shards' SHA-256. */
  sha256: string;
}

/** What the network runs on. */
export interface RunsOn {
  kind: "cpu" | "webgpu";
  detail: string;
  threads: number;
  /** Why, such as `{ kind: "no_gpu", reason: "…" }`. */
  reasons: { kind: string; [detail: string]: unknown }[];
}

/** What a loaded classifier is beside a function. */
export interface LoadedClassifier {
  readonly task: "image-classification";
  readonly model: Model;
  readonly backend: RunsOn;
  /** The build of the worker. */
  readonly build: "simd128" | "simd128-threads" | "relaxed-threads";
  /** It takes no more photos: it was disposed of, or its worker broke down. */
  readonly ended: boolean;
  /** Ends the worker and gives its memory back. What it had in hand is rejected. */
  dispose(): Promise<void>;
}
