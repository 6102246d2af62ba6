// Starts the page's program. A file of its own, since the page's content security policy allows no script in
// the HTML; the names of the program's files are attributes of the element that loads this one (Trunk.toml).
{
  const { js, wasm } = document.currentScript.dataset;
  const address = (path) => new URL(path, document.baseURI);
  const showFailure = (reason) => {
    // What index.html shows until the program draws over it.
    const sentence = document.querySelector(".invitation p");
    if (sentence) {
      sentence.textContent =
        "The page could not be started. Check the connection and reload it; an old browser may be too old for it. " +
        `(${reason})`;
    }
  };
  // A connection that falls silent raises no error. Should the program come all the same, it draws over the sentence.
  const timeout = setTimeout(() => showFailure("its program has not come for a minute"), 60_000);
  import(address(js))
    .then((program) => program.default({ module_or_path: address(wasm) }))
    .catch((error) => {
      console.error(error);
      showFailure(error instanceof Error ? error.message : error);
    })
    .finally(() => clearTimeout(timeout));
}
