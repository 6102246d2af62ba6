// <photo-classifier>: drop, choose or paste a photo, see what is on it. The network runs in a worker of this page;
// no photo leaves it.

import { pipeline } from "./index.js";
import { photo } from "./source.js";
import { sheet } from "./style.js";
import { translation } from "./translations.js";

const SVG = "http://www.w3.org/2000/svg";
// A change of these takes another classifier.
const OPTIONS = ["model", "threads", "backend", "worker-url"];

export class PhotoClassifier extends HTMLElement {
  static observedAttributes = [...OPTIONS, "top-k", "lang", "eager"];

  #parts = build(this.attachShadow({ mode: "open" }));
  // The promise of a classifier, once one is wanted, and what it has become.
  #classifier = null;
  #made = null;
  // The photo in sight, and its number: of several, the newest one's answer is shown.
  #photo = null;
  #turn = 0;
  // What is said below the photo, and what follows it but changes too often to be read aloud: functions of the
  // translation, so that both can be said in another language.
  #said = () => "";
  #detail = () => "";
  #results = [];
  // How many classes the model has that gave them.
  #classes = 0;
  #listening = null;

  constructor() {
    super();
    const { zone, picker } = this.#parts;
    this.shadowRoot.adoptedStyleSheets = [sheet];
    picker.addEventListener("change", () => {
      this.#take(picker.files[0]);
      // So that the same file can be chosen again.
      picker.value = "";
    });
    const over = (on) => (event) => {
      event.preventDefault();
      zone.classList.toggle("over", on);
    };
    zone.addEventListener("dragover", over(true));
    zone.addEventListener("dragleave", over(false));
    zone.addEventListener("drop", (event) => {
      over(false)(event);
      this.#take(dropped(event.dataTransfer));
    });
  }

  connectedCallback() {
    this.#listening = new AbortController();
    // A paste reaches an element that nothing is written in by way of the document.
    document.addEventListener("paste", (event) => this.#paste(event), { signal: this.#listening.signal });
    this.#draw();
    if (this.hasAttribute("eager")) this.load().catch((error) => this.#fail(error));
  }

  disconnectedCallback() {
    this.#listening.abort();
    // One that is only moved stays as it is.
    queueMicrotask(() => this.isConnected || this.dispose());
  }

  attributeChangedCallback(name, before, now) {
    if (before === now || !this.isConnected) return;
    if (OPTIONS.includes(name)) this.dispose();
    if (name === "eager" && now !== null) this.load().catch((error) => this.#fail(error));
    this.#draw();
    if (this.#photo && name !== "eager") this.classify(this.#photo).catch(() => undefined);
  }

  // Loads the model, unless it is loaded. Gives the function of `pipeline`.
  load() {
    // Its worker may have ended while it had nothing to do.
    if (this.#made?.ended) this.#forget(this.#classifier);
    if (!this.#classifier) {
      const making = this.#make();
      this.#classifier = making;
      making.then(
        (classify) => {
          if (this.#classifier === making) this.#made = classify;
        },
        // The next photo tries again.
        () => this.#forget(making),
      );
    }
    return this.#classifier;
  }

  // Classifies a photo as if it had been dropped: any source that `pipeline`'s function takes.
  async classify(source) {
    const turn = ++this.#turn;
    const current = () => turn === this.#turn;
    try {
      const blob = await photo(source);
      if (current()) await this.#show(blob, current);
      const loading = this.load();
      const classify = await loading;
      if (current()) this.#say(({ looking }) => looking);
      const results = await classify(blob, { top_k: this.topK, lang: this.#text.tag }).finally(() => {
        // Its worker may have broken down; the next photo gets another.
        if (classify.ended) this.#forget(loading);
      });
      if (current()) {
        this.#results = results;
        this.#classes = classify.model.classes;
        this.#say(() => "");
        this.dispatchEvent(new CustomEvent("result", { detail: { results, photo: blob } }));
      }
      return results;
    } catch (error) {
      if (current() && this.isConnected) this.#fail(error);
      throw error;
    }
  }

  // Ends the worker and gives its memory back; the next photo starts another one.
  dispose() {
    const classifier = this.#classifier;
    this.#forget(classifier);
    classifier?.then((classify) => classify.dispose()).catch(() => undefined);
  }

  get topK() {
    return Math.max(1, Math.trunc(Number(this.getAttribute("top-k")))) || 5;
  }

  get results() {
    return this.#results;
  }

  get #text() {
    return translation(this.closest("[lang]")?.lang || document.documentElement.lang);
  }

  async #make() {
    const progress = (event) => {
      if (event.status === "progress") {
        this.#progress(event.progress);
        this.#say(({ loading }) => loading, ({ progress }) => `: ${progress(event.loaded, event.total)}`);
      }
      this.dispatchEvent(new CustomEvent("progress", { detail: event }));
    };
    this.#say(({ starting }) => starting);
    const own = (name) => this.getAttribute(name) || undefined;
    const threads = own("threads");
    const making = pipeline("image-classification", own("model"), {
      workerUrl: own("worker-url"),
      threads: threads && Number(threads),
      backend: own("backend"),
      progress_callback: progress,
    });
    try {
      const classify = await making;
      this.#say(() => "");
      return classify;
    } finally {
      this.#progress(null);
    }
  }

  #forget(classifier) {
    if (this.#classifier === classifier) [this.#classifier, this.#made] = [null, null];
  }

  // A photo that came in; its fault is shown on the element.
  #take(source) {
    if (source) this.classify(source).catch(() => undefined);
    else this.#fail(new Error(this.#text.nothing));
  }

  #paste(event) {
    const path = event.composedPath();
    const writing = path.some((element) => element.isContentEditable || /^(INPUT|TEXTAREA)$/.test(element.tagName));
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    const meant = path.includes(this) || this.matches(":focus-within, :hover");
    if (file && meant && (!writing || path.includes(this))) {
      event.preventDefault();
      this.#take(file);
    }
  }

  // Draws the photo, where the browser can; onto a canvas, for which no content security policy has to be widened.
  async #show(blob, current) {
    const bitmap = await createImageBitmap(blob).catch(() => null);
    if (!current()) return bitmap?.close();
    const { canvas, zone } = this.#parts;
    this.#photo = blob;
    this.#results = [];
    zone.classList.add("filled");
    canvas.hidden = !bitmap;
    if (bitmap) {
      const scale = Math.min(1, 1200 / Math.max(bitmap.width, bitmap.height));
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      bitmap.close();
    }
    this.#draw();
  }

  #fail(error) {
    this.#results = [];
    this.#say(() => error.message);
    this.#parts.status.classList.add("failed");
    this.dispatchEvent(new CustomEvent("error", { detail: { error } }));
  }

  #say(said, detail = () => "") {
    [this.#said, this.#detail] = [said, detail];
    this.#parts.status.classList.remove("failed");
    this.#draw();
  }

  #progress(percent) {
    const { progress, measure } = this.#parts;
    progress.hidden = percent === null;
    progress.setAttribute("aria-valuenow", (percent ?? 0).toFixed(0));
    measure.setAttribute("width", `${(percent ?? 0).toFixed(1)}%`);
  }

  #draw() {
    const text = this.#text;
    const { zone, canvas, hint, button, progress, status, lead, detail, none, results } = this.#parts;
    const percent = new Intl.NumberFormat(text.tag, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
    zone.setAttribute("aria-label", text.name);
    zone.setAttribute("lang", text.tag);
    canvas.setAttribute("aria-label", text.photo(this.#photo?.name));
    progress.setAttribute("aria-label", text.loading);
    const isNone = this.#results.none_of_these === true;
    none.hidden = !isNone;
    none.textContent = isNone ? text.noneOf(this.#classes) : "";
    results.classList.toggle("dimmed", isNone);
    results.setAttribute("aria-label", isNone ? text.resultsIfNone : text.results);
    hint.textContent = text.hint;
    button.textContent = this.#photo ? text.another : text.choose;
    const said = this.#said(text);
    // The same words again would be read aloud again.
    if (lead.textContent !== said) lead.textContent = said;
    detail.textContent = this.#detail(text);
    status.hidden = said === "";
    results.hidden = this.#results.length === 0;
    results.replaceChildren(
      ...this.#results.map(({ label, score }) =>
        html(
          "li",
          { part: "result", class: "result" },
          svg("svg", { class: "bar", part: "bar", "aria-hidden": "true" }, svg("rect", { width: `${(100 * score).toFixed(2)}%`, height: "100%" })),
          html("span", { part: "label" }, label),
          html("span", { part: "score", class: "score" }, percent.format(score)),
        ),
      ),
    );
  }
}

function build(root) {
  const canvas = html("canvas", { part: "photo", class: "photo", role: "img", hidden: "" });
  const results = html("ol", { part: "results", class: "results", hidden: "" });
  const none = html("p", { part: "none-of-these", class: "none", hidden: "" });
  const hint = html("p", { part: "hint", class: "hint" });
  const picker = html("input", { type: "file", accept: "image/*", id: "picker", class: "picker" });
  const button = html("label", { for: "picker", part: "button", class: "button" });
  const lead = html("span", {});
  const detail = html("span", { "aria-hidden": "true" });
  const status = html("p", { part: "status", class: "status" }, lead, detail);
  const measure = svg("rect", { height: "100%", rx: "3" });
  const bounds = { "aria-valuemin": "0", "aria-valuemax": "100" };
  const progress = html(
    "div",
    { part: "progress", class: "progress", role: "progressbar", hidden: "", ...bounds },
    svg("svg", { "aria-hidden": "true" }, measure),
  );
  const pick = html("div", {}, picker, button);
  // It is there before anything is said, as screen readers want it.
  const live = html("div", { class: "live", role: "status" }, status);
  const controls = html("div", { part: "controls", class: "controls" }, hint, pick, live, progress);
  const zone = html("div", { part: "zone", class: "zone", role: "group" }, canvas, none, results, controls);
  root.append(zone);
  return { zone, canvas, none, results, hint, picker, button, status, lead, detail, progress, measure };
}

// A file, or the address of a picture that was dragged from a page.
function dropped(transfer) {
  const address = transfer.getData("text/uri-list").split(/\r?\n/).find((line) => line && !line.startsWith("#"));
  return transfer.files[0] ?? address;
}

const html = (name, attributes, ...children) => element(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => element(document.createElementNS(SVG, name), attributes, children);

function element(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

if (!customElements.get("photo-classifier")) customElements.define("photo-classifier", PhotoClassifier);
