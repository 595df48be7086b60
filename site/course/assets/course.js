// Formulas, the quiz that answers in place, the home page's comparison. Nothing is stored and nothing is sent.

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function formulas() {
  for (const formula of all(".arithmatex")) {
    const source = formula.textContent.trim();
    const display = source.startsWith("\\[");
    katex.render(source.slice(2, -2), formula, { displayMode: display, throwOnError: true });
  }
}

// Choices that stand together belong to one question; a question without choices asks whether you knew the answer.
function questions() {
  const found = [];
  for (const answer of all("details.right, details.wrong, details.question")) {
    const last = found.at(-1);
    if (answer.matches(".question")) found.push([answer]);
    else if (last && last.at(-1) === answer.previousElementSibling && !last[0].matches(".question")) last.push(answer);
    else found.push([answer]);
  }
  return found;
}

function quiz(asked, score) {
  const known = new Map();  // question: whether its first answer was right
  const tell = (number, right) => {
    if (!known.has(number)) known.set(number, right);
    const good = [...known.values()].filter(Boolean).length;
    score.textContent = `${good} of ${known.size} right at the first try` +
      (known.size < asked.length ? `, ${asked.length - known.size} to go.` : ".");
  };
  asked.forEach((answers, number) => {
    if (answers[0].matches(".question")) return recall(answers[0], right => { known.delete(number); tell(number, right); });
    answers[0].classList.add("first");
    for (const answer of answers) {
      answer.classList.add("choice");
      answer.addEventListener("toggle", () => answer.open && !printing && tell(number, answer.matches(".right")));
    }
  });
}

function recall(answer, tell) {
  const row = document.createElement("p");
  row.className = "recall";
  for (const [words, right] of [["I knew it", true], ["Not yet", false]]) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      all("button", row).forEach(one => one.setAttribute("aria-pressed", String(one === button)));
      tell(right);
    });
    row.append(button);
  }
  answer.append(row);
}

// What scrolls can be scrolled by keyboard too.
const scrolling = new ResizeObserver(entries => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

let printing = false;  // Material unfolds everything for the printer: that is no answer
addEventListener("beforeprint", () => { printing = true; });
addEventListener("afterprint", () => { setTimeout(() => { printing = false; }, 500); });

addEventListener("DOMContentLoaded", () => {
  if (window.katex) formulas();
  for (const one of all("pre > code, div.arithmatex, .md-typeset__scrollwrap")) scrolling.observe(one);
  const asked = questions();
  if (asked.length) {
    const score = document.createElement("p");
    score.className = "score";
    score.setAttribute("role", "status");
    asked.at(-1).at(-1).after(score);
    quiz(asked, score);
  }
  for (const box of all(".compare")) {
    const slider = box.querySelector("input");
    const move = () => {
      box.style.setProperty("--part", slider.value / 100);
      box.style.setProperty("--cut", `${slider.value}%`);
    };
    slider.addEventListener("input", move);
    move();
  }
});
