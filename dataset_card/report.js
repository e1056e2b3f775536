"use strict";
// Everything read from the dataset is set as text (textContent, alt), never as markup.

const ITEMS = JSON.parse(document.getElementById("data").textContent);
const PAGE = 12; // images

const agreement = (asked) => {
  if (asked.kind === "original") return undefined;
  if (asked.agreement === undefined) return "not asked again";
  return asked.agreement === 1 ? "all" : asked.agreement >= 0.66 ? "two thirds or more" : "less";
};

// What can be filtered by: of the image, and of each of its questions.
const OF_IMAGE = {
  split: (item) => item.split,
  source: (item) => item.source,
  task: (item) => item.task,
  complexity: (item) => String(item.complexity ?? "unknown"),
};
const OF_QUESTION = {
  kind: (asked) => asked.kind,
  "question type": (asked) => asked.question_type,
  "answer type": (asked) => asked.answer_type,
  agreement,
  benchmark: (asked) => (asked.contamination ? "shared" : "not shared"),
  status: (asked) => (asked.reason ? "rejected" : "kept"),
  reason: (asked) => asked.reason,
};
const NAMES = [...Object.keys(OF_IMAGE), ...Object.keys(OF_QUESTION)];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// ---- tables

const number = (text) => Number(text.replaceAll(",", "") || -Infinity);

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = () => [...table.tBodies[0].rows];
  heads.forEach((head, column) => {
    const text = (row) => row.cells[column].textContent.trim();
    const numeric = rows().every((row) => !Number.isNaN(number(text(row))));
    if (numeric) [head, ...rows().map((row) => row.cells[column])].forEach((cell) => cell.classList.add("number"));
    const compare = numeric
      ? (a, b) => number(text(a)) - number(text(b))
      : (a, b) => text(a).localeCompare(text(b), "en", { numeric: true });
    head.querySelector("button").addEventListener("click", () => {
      const first = numeric ? "descending" : "ascending";
      const other = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      table.tBodies[0].append(...rows().sort((a, b) => sign * compare(a, b)));
    });
  });
}

// ---- the state: in the address, so that a view can be kept and sent

function state() {
  const hash = location.hash;
  return hash.startsWith("#?") ? new URLSearchParams(hash.slice(2)) : new URLSearchParams();
}

function go(wanted) {
  history.pushState(null, "", `#?${wanted}`);
  show();
}

// ---- filters

const form = document.getElementById("filters");

function values(name) {
  const found = new Map();
  for (const item of ITEMS) {
    const told = name in OF_IMAGE ? [OF_IMAGE[name](item)] : questions(item).map(OF_QUESTION[name]);
    for (const value of new Set(told)) if (value !== undefined) found.set(value, (found.get(value) ?? 0) + 1);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}

function buildFilters() {
  const add = (name, field) => {
    const label = element("label", { htmlFor: `by-${name}`, textContent: name });
    form.append(element("div", {}, label, Object.assign(field, { id: label.htmlFor, name })));
  };
  for (const name of NAMES) {
    const there = values(name);
    if (!there.length) continue;
    const options = there.map(([value, count]) => element("option", { value, textContent: `${value} (${count})` }));
    add(name, element("select", {}, element("option", { value: "", textContent: "all" }), ...options));
  }
  add("words", element("input", { type: "search", autocomplete: "off" }));
  form.append(element("button", { type: "reset", textContent: "Show all" }));
  form.addEventListener("change", fromForm);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fromForm();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    go(new URLSearchParams());
  });
}

function fromForm() {
  go(new URLSearchParams([...new FormData(form)].filter(([, value]) => value)));
}

const questions = (item) => [...item.questions, ...item.rejected];

const spoken = (asked) =>
  [asked.question, asked.answer, asked.id, ...(asked.choices ?? [])].join("\n").toLowerCase();

// The images that the filters let through, each with those of its questions that they let through.
function matching(wanted) {
  const chosen = (filters) => Object.keys(filters).filter((name) => wanted.get(name));
  const ofImage = chosen(OF_IMAGE), ofQuestion = chosen(OF_QUESTION);
  const words = (wanted.get("words") ?? "").toLowerCase();
  return ITEMS.filter((item) => ofImage.every((name) => OF_IMAGE[name](item) === wanted.get(name)))
    .map((item) => [item, questions(item).filter((asked) =>
      ofQuestion.every((name) => OF_QUESTION[name](asked) === wanted.get(name)) &&
      (!words || spoken(asked).includes(words)))])
    .filter(([, asked]) => asked.length);
}

// ---- the gallery

const PROVENANCE = ["id", "parent_id", "teacher", "agreement", "answer_type", "unit", "precision", "contamination", "rationale", "reply"];

function showQuestion(asked) {
  const right = asked.answer_letter ? asked.answer_letter.charCodeAt(0) - 65 : -1;
  const choices = (asked.choices ?? []).map((choice, place) =>
    element("li", place === right ? { className: "answer", textContent: `${choice} ✓` } : { textContent: choice }));
  const facts = PROVENANCE.filter((name) => asked[name] !== undefined).flatMap((name) =>
    [element("dt", { textContent: name }), element("dd", { textContent: asked[name] })]);
  const shared = asked.contamination ? " · in a benchmark" : "";
  const agree = asked.agreement === undefined ? "" : ` · ${Math.round(100 * asked.agreement)} % agree`;
  return element("div", { className: asked.reason ? "question refused" : "question" },
    element("p", { className: "ask", textContent: asked.question ?? "(no question)" }),
    choices.length ? element("ol", {}, ...choices) : null,
    right < 0 && asked.answer !== undefined
      ? element("p", { className: "text answer", textContent: `${asked.answer}${asked.unit ? ` ${asked.unit}` : ""} ✓` }) : null,
    asked.reason
      ? element("p", { className: "text reason", textContent: `rejected: ${asked.reason}${asked.detail ? `: ${asked.detail}` : ""}` }) : null,
    element("p", { className: "about", textContent: `${asked.kind}${agree}${shared}` }),
    element("details", {}, element("summary", { textContent: "provenance" }), element("dl", {}, ...facts)));
}

function showItem([item, asked]) {
  const left = questions(item).length - asked.length + item.more;
  const alt = `${item.context ?? "image"} of ${item.source}`;
  const picture = item.picture
    ? element("img", { src: item.picture, alt })
    : element("p", { className: "none", textContent: "This image is not included or cannot be shown." });
  const known = [
    `${item.source} · ${item.task}${item.context ? ` · ${item.context}` : ""} · ${item.split}`,
    `${item.format}, ${item.width} × ${item.height} pixels`,
    `clarity ${item.clarity ?? "unknown"}, complexity ${item.complexity ?? "unknown"}`,
    `licence ${item.license ?? "unknown"}`,
    item.image_id,
  ].map((line) => element("p", { className: "about", textContent: line }));
  return element("article", {},
    element("div", {}, picture, ...known),
    element("div", {}, ...asked.map(showQuestion),
      left ? element("p", { className: "about", textContent: `${left} more about this image are not shown.` }) : null));
}

function showPages(wanted, page, pages) {
  const turn = (text, to) => {
    const button = element("button", { type: "button", textContent: text, disabled: to < 1 || to > pages });
    button.addEventListener("click", () => {
      wanted.set("page", to);
      go(wanted);
      const heading = document.getElementById("gallery");
      heading.focus({ preventScroll: true });
      heading.scrollIntoView();
    });
    return button;
  };
  document.getElementById("pages").replaceChildren(
    turn("Previous", page - 1), element("span", { textContent: `Page ${page} of ${pages}` }), turn("Next", page + 1));
}

function show() {
  const wanted = state();
  for (const field of form.elements) if (field.name) field.value = wanted.get(field.name) ?? "";
  const found = matching(wanted);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(pages, Math.max(1, Math.trunc(Number(wanted.get("page"))) || 1));
  const asked = found.reduce((sum, [, list]) => sum + list.length, 0);
  document.getElementById("found").textContent =
    `${asked.toLocaleString("en")} questions on ${found.length.toLocaleString("en")} images`;
  document.getElementById("items").replaceChildren(...found.slice((page - 1) * PAGE, page * PAGE).map(showItem));
  showPages(wanted, page, pages);
}

document.querySelectorAll("table").forEach(makeSortable);
buildFilters();
show();
addEventListener("popstate", show);
addEventListener("hashchange", () => {
  show();
  if (location.hash.startsWith("#?")) document.getElementById("gallery").scrollIntoView();
});
if (location.hash.startsWith("#?")) document.getElementById("gallery").scrollIntoView();
