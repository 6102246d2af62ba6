import type { Classification, Classifications, Classifier, PhotoSource, ProgressEvent } from "./index.js";

export interface PhotoClassifierEventMap {
  /** A photo has its answer. */
  result: CustomEvent<{ results: Classifications; photo: Blob }>;
  /** The model is loading. */
  progress: CustomEvent<ProgressEvent>;
  /** The model could not be loaded, or a photo not be classified. */
  error: CustomEvent<{ error: Error }>;
}

/**
 * `<photo-classifier>`. Attributes: `model`, `top-k`, `lang`, `threads`, `backend`, `worker-url`, and `eager`, which
 * loads the model at once instead of with the first photo.
 */
export class PhotoClassifier extends HTMLElement {
  /** Loads the model, unless it is loaded. */
  load(): Promise<Classifier>;
  /** Classifies a photo as if it had been dropped. */
  classify(source: PhotoSource): Promise<Classifications>;
  /** Ends the worker and gives its memory back; the next photo starts another one. */
  dispose(): void;
  /** The answer in sight. */
  readonly results: Classification[];
  readonly topK: number;

  addEventListener<K extends keyof PhotoClassifierEventMap>(
    type: K,
    listener: (this: PhotoClassifier, event: PhotoClassifierEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "photo-classifier": PhotoClassifier;
  }
}
