// Says why the page does not start: opened as a file, without its program, or with one that an old browser can't read.
// A plain script, for it must run where modules don't. The words are in index.html.

(() => {
  const $ = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
  const tell = (/** @type {string} */ cause) => {
    if ("started" in document.documentElement.dataset) return;
    $("status").textContent = "";
    $("trouble").hidden = false;
    for (const text of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-trouble]")))
      text.hidden = text.dataset.trouble !== cause;
  };
  // The course's pages remember whether the reader wants them light or dark.
  try {
    const palette = JSON.parse(localStorage.getItem(`${new URL("../", location.href).pathname}.__palette`) ?? "null");
    const scheme = palette.color.scheme === "slate" ? "dark" : "light";
    if (palette.color.media !== "(prefers-color-scheme)") document.documentElement.dataset.scheme = scheme;
  } catch {
    // Nothing is remembered.
  }
  addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLScriptElement) tell("program");
    },
    true,
  );
  addEventListener("DOMContentLoaded", () => {
    if (location.protocol === "file:") tell("file");
    else setTimeout(() => tell("program"), 15_000);
  });
})();
