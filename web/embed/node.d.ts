import type { Backend, Classifications, ClassifyOptions, LoadedClassifier, ProgressEvent } from "./types.js";

export * from "./types.js";

/** A photo: the path or the address of a file, or a file's bytes. */
export type PhotoSource = string | URL | Blob | ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

export interface PipelineOptions {
  /** The folder `workers/` of the package or of a built site: a path or a file's address; the package's own unless given. */
  workerUrl?: string | URL;
  /** 1 to 64 threads; 0 or nothing: one a processor, at most 16. */
  threads?: number;
  /** Outside a browser there is no GPU: `auto` means the processor. */
  backend?: Backend;
  progress_callback?: (event: ProgressEvent) => void;
}

export interface Classifier extends LoadedClassifier {
  (source: PhotoSource, options?: ClassifyOptions): Promise<Classifications>;
  (sources: readonly PhotoSource[], options?: ClassifyOptions): Promise<Classifications[]>;
}

/**
 * Loads a model and gives the function that classifies photos with it. A program that has nothing left to do ends, whether
 * it has disposed of this or not.
 *
 * @param model The path or the address of a model's manifest.json or of its folder; the demo model unless given.
 * @throws Error with a sentence that says what is wrong.
 */
export function pipeline(
  task: "image-classification",
  model?: string | URL | null,
  options?: PipelineOptions,
): Promise<Classifier>;
