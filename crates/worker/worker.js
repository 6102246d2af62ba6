// The web worker's entry: starts the program beside it. From then on the program talks to the page
// itself; what goes wrong before that is told here, in the protocol's own words.
//
// A promise that fails unseen would leave the page waiting: thrown again, it reaches the page as the
// worker's error.
self.addEventListener("unhandledrejection", (event) => {
  setTimeout(() => { throw event.reason; });
});
try {
  const glue = await import("./glue.js");
  await glue.default({ module_or_path: new URL("./glue_bg.wasm", import.meta.url) });
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `The classifier could not be started. Reload the page to try again. (${reason})`;
  self.postMessage([JSON.stringify({ type: "load_failed", message })]);
}
