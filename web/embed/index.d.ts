import type { Backend, Classifications, ClassifyOptions, LoadedClassifier, ProgressEvent } from "./types.js";

export * from "./types.js";

/** A photo: a file, the address of one, or a picture on the page. */
export type PhotoSource =
  | Blob
  | string
  | URL
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | ImageData;

export interface PipelineOptions {
  /** The folder `workers/` of the built site, on the page's own origin; beside this module's folder unless given. */
  workerUrl?: string | URL;
  /** 1 to 64 threads; 0 or nothing: one a processor, at most 16. More than one needs a cross-origin isolated page. */
  threads?: number;
  backend?: Backend;
  progress_callback?: (event: ProgressEvent) => void;
}

export interface Classifier extends LoadedClassifier {
  (source: PhotoSource, options?: ClassifyOptions): Promise<Classifications>;
  (sources: readonly PhotoSource[] | FileList, options?: ClassifyOptions): Promise<Classifications[]>;
}

/**
 * Loads a model and gives the function that classifies photos with it.
 *
 * @param model The address of a model's manifest.json or of its folder; the demo model unless given.
 * @throws Error with a sentence that says what is wrong.
 */
export function pipeline(
  task: "image-classification",
  model?: string | URL | null,
  options?: PipelineOptions,
): Promise<Classifier>;
