// Formulas, the quiz that answers in place, lines of code, the home page's divider. Nothing is stored and nothing is sent.

/** @returns {HTMLElement[]} */
const all = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) => [
  .../** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll(selector)),
];
const { katex } = /** @type {any} */ (window); // on pages with formulas

function formulas() {
  for (const formula of all(".arithmatex")) {
    const source = (formula.textContent ?? "").trim();
    katex.render(source.slice(2, -2), formula, { displayMode: source.startsWith("\\["), throwOnError: true });
  }
}

/** Choices that stand together belong to one question; a question without choices asks whether you knew the answer. */
function questions() {
  const found = /** @type {HTMLDetailsElement[][]} */ ([]);
  for (const one of all("details.right, details.wrong, details.question")) {
    const answer = /** @type {HTMLDetailsElement} */ (one);
    const last = found.at(-1);
    const follows = last?.at(-1) === answer.previousElementSibling && !last?.[0].matches(".question");
    if (last && follows && !answer.matches(".question")) last.push(answer);
    else found.push([answer]);
  }
  return found;
}

/** @param {HTMLDetailsElement[][]} asked @param {HTMLElement} score */
function quiz(asked, score) {
  const known = /** @type {Map<number, boolean>} */ (new Map()); // question: whether its first answer was right
  const tell = (/** @type {number} */ number, /** @type {boolean} */ right) => {
    if (!known.has(number)) known.set(number, right);
    const good = [...known.values()].filter(Boolean).length;
    const rest = asked.length - known.size;
    score.textContent = `${good} of ${known.size} right at the first try${rest ? `, ${rest} to go` : ""}.`;
  };
  for (const [number, answers] of asked.entries()) {
    if (answers[0].matches(".question")) {
      recall(answers[0], (right) => {
        known.delete(number);
        tell(number, right);
      });
      continue;
    }
    answers[0].classList.add("first");
    for (const answer of answers) {
      answer.classList.add("choice");
      answer.addEventListener("toggle", () => answer.open && !printing && tell(number, answer.matches(".right")));
    }
  }
}

/** @param {HTMLElement} answer @param {(right: boolean) => void} tell */
function recall(answer, tell) {
  const row = document.createElement("p");
  row.className = "recall";
  for (const words of ["I knew it", "Not yet"]) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      for (const one of all("button", row)) one.setAttribute("aria-pressed", String(one === button));
      tell(words === "I knew it");
    });
    row.append(button);
  }
  answer.append(row);
}

// What scrolls can be scrolled by keyboard too.
const scrolling = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
    target.toggleAttribute("tabindex", scrolls);
    if (scrolls) target.setAttribute("tabindex", "0");
  }
});

let printing = false; // Material unfolds everything for the printer: that is no answer
addEventListener("beforeprint", () => {
  printing = true;
});
addEventListener("afterprint", () => {
  setTimeout(() => {
    printing = false;
  }, 500);
});

// A line that is too long goes on below, further to the right than it begins.
for (const line of all("pre > code > span")) {
  const indent = (line.textContent ?? "").search(/\S/);
  if (indent > 0) line.style.setProperty("--indent", `${indent}`);
}

if (katex) formulas();
addEventListener("DOMContentLoaded", () => {
  // Only now has Material put its frames around tables.
  for (const one of all("pre > code, div.arithmatex, .md-typeset__scrollwrap")) scrolling.observe(one);
});
for (const button of all(".to-print button")) button.addEventListener("click", () => print());
const asked = questions();
const score = Object.assign(document.createElement("p"), { className: "score" });
score.setAttribute("role", "status");
asked.at(-1)?.at(-1)?.after(score);
quiz(asked, score);
const compare = document.getElementById("compare");
if (compare) {
  const { divider } = await import(String(new URL("../paint/divider.js", import.meta.url)));
  divider(compare);
}
