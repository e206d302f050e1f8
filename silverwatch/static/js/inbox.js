// The inbox by keys: J and K choose, A takes, R and a number resolve, Enter opens the patient.
import { actions } from "./keys.js";

const main = document.getElementById("main");
const pane = document.getElementById("pane");
const wide = matchMedia("(min-width: 1100px)");
document.getElementById("key-line").hidden = false;
let asked = 0;

const detail = () => pane.querySelector("[data-detail]");
const all = () => [...document.querySelectorAll("[data-row]")];
/** What the filter of this screen leaves: a style sheet hides the others, in the page and in what is pushed. */
const rows = () => all().filter((row) => row.offsetParent);
const chosen = () => rows().find((row) => row.dataset.row === detail()?.dataset.detail);

/** A push draws the list as everybody sees it; which row is chosen is known to this screen only. */
function mark() {
  const one = chosen();
  leftOut();
  for (const row of all()) row.toggleAttribute("aria-current", row === one);
  one?.setAttribute("aria-current", "true");
}

/** How many open alarms the filter hides: nobody is to miss one. */
function leftOut() {
  const line = document.getElementById("left-out");
  if (!line) return;
  const hidden = all().filter((row) => !row.offsetParent && !row.matches(".resolved"));
  const high = hidden.filter((row) => row.matches(".high.untaken")).length;
  const said = (hidden.length === 1 ? line.dataset.one : line.dataset.many.replace("#", hidden.length)) + (high ? `, ${line.dataset.high.replace("#", high)}` : "");
  if (line.textContent !== said) line.textContent = said;
  line.classList.toggle("urgent", high > 0);
}

/** Another alarm in the pane: its region is read at once, then the socket asks for it too. */
async function choose(id, { push = true } = {}) {
  const mine = ++asked;
  const answer = await fetch(`/alerts/${id}/detail`, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" }, cache: "no-store" });
  if (mine !== asked) return;
  if (!answer.ok) return location.assign(`/alerts/${id}`);
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  pane.querySelector("[data-detail], .card.none")?.replaceWith(...found.body.childNodes);
  pane.querySelector(".taken-by")?.remove();
  htmx.process(detail());
  main.classList.add("chosen");
  if (push) history.replaceState(null, "", `/alerts/${id}${location.search.replace(/[?&]taken=1/, "")}`);
  mark();
  chosen()?.scrollIntoView({ block: "nearest" });
  subscribe(id);
}

let later = 0;
function subscribe(id) {
  clearTimeout(later);
  later = setTimeout(() => {
    const address = main.getAttribute("hx-ws:connect").replace(/&?r=alarm-detail-[0-9a-f-]{36}/, "");
    main.setAttribute("hx-ws:connect", `${address}&r=alarm-detail-${id}`);
    htmx.process(main, true);
  }, 400);
}

function step(by) {
  const shown = [...new Map(rows().map((row) => [row.dataset.row, row])).values()];
  if (!shown.length) return;
  const at = shown.findIndex((row) => row.dataset.row === detail()?.dataset.detail);
  choose(shown[Math.min(shown.length - 1, Math.max(0, at + by))].dataset.row);
}

// A click beside the buttons chooses; on a narrow screen the alarm is a page of its own.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-row] button.open, [data-row] button.resolve");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !wide.matches) return;
  event.preventDefault();
  choose(link.closest("[data-row]").dataset.row).then(() => link.matches(".resolve") && resolve());
});

// An escalation from the list opens its alarm: there it can be undone.
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row] .escalate")?.closest("[data-row]");
  if (row && wide.matches && row.dataset.row !== detail()?.dataset.detail) choose(row.dataset.row);
});

function resolve() {
  const box = pane.querySelector("details.resolve");
  if (!box) return;
  box.open = true;
  box.querySelector("summary").focus();
}

Object.assign(actions, {
  j: () => step(1),
  k: () => step(-1),
  a: () => pane.querySelector(".actbar .ack")?.click(),
  e: () => pane.querySelector(".escalate")?.click(),
  r: resolve,
  f: undefined,
});
for (const key of "123456") actions[key] = () => pane.querySelector(`details.resolve[open] [data-key="${key}"]`)?.click();

// Enter on a link or a button is theirs.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.closest("a, button, summary, input, dialog") || !document.getElementById("keys-on").checked) return;
  pane.querySelector("a.patient")?.click();
});

// What the old address still brings about an alarm that is no longer in the pane.
document.addEventListener("htmx:ws:before:message:incoming", (event) => {
  const data = event.detail.message.data;
  const target = /^\{"target": "#(alarm-detail-[0-9a-f-]{36})"/.exec(data)?.[1];
  if (target && !document.getElementById(target)) event.preventDefault();
});

document.getElementById("filters").addEventListener("change", (event) => event.currentTarget.requestSubmit());
document.addEventListener("htmx:after:swap", mark);
mark();
if (location.hash === "#resolve") resolve();
