// One thread beside the web worker's own: runs the same program on the same memory and works until the
// worker ends. Tells the worker `null` once it has joined, or why it can't.
self.addEventListener("message", async ({ data: [module, memory, slot] }) => {
  let glue;
  try {
    glue = await import("./glue.js");
    await glue.default({ module_or_path: module, memory });
  } catch (error) {
    self.postMessage(error instanceof Error ? error.message : String(error));
    return;
  }
  try {
    glue.help(slot);
  } catch (error) {
    // The program has trapped in the middle of its work. The worker waits for this thread.
    glue.lose(slot);
    throw error;
  }
}, { once: true });
