// 12 s without a tick: reconnecting, and polling. 15 s without tick and good poll, or judging 10 s late: not live.
// Silence is never shown as calm.
import { age, learn, now, siteTime } from "./clock.js";

const QUIET = 12_000, DEAD = 15_000, LATE = 10, EVERY = 5_000;
const root = document.documentElement;
const main = document.querySelector("main[data-live]");
const overlay = document.getElementById("lost");
const part = (id) => document.getElementById(id);
let ticked = Date.now(), polled = 0, late = 0, next = 0, attempt = 0, lostAt = 0, busy = false;

document.addEventListener("htmx:ws:after:message:incoming", ({ detail }) => {
  const { data } = detail.message;
  if (!data.startsWith('{"tick"')) return;
  const frame = JSON.parse(data);
  learn(frame.tick);
  late = frame.judge_lag_s;
  // A server without its database ticks, but has nothing to show.
  if (frame.db) ticked = Date.now();
  document.dispatchEvent(new Event("beat"));
});

// The session has ended elsewhere. A wall screen asks for a code then, everybody else signs in.
const leave = () => (main.dataset.gone ? location.assign(main.dataset.gone) : location.reload());
document.addEventListener("htmx:ws:close", ({ detail }) => detail.code === 4401 && leave());

async function poll() {
  busy = true;
  attempt += 1;
  try {
    const query = root.classList.contains("wall") ? "?wall=1" : location.search;
    // The outermost: a board brings its tiles with it.
    const regions = [...document.querySelectorAll("[data-region-url]")].filter((e) => !e.parentElement.closest("[data-region-url]"));
    const answers = await Promise.all(regions.map((element) => fetch(element.dataset.regionUrl + query, {
      headers: { "HX-Request": "true", "HX-Request-Type": "partial" }, cache: "no-store", signal: AbortSignal.timeout(4000),
    })));
    if (answers.some(({ status }) => [401, 404].includes(status))) return leave(); // no longer ours to see
    if (!answers.every((answer) => answer.ok)) return;
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    for (const [index, element] of regions.entries()) {
      await htmx.swap({ sourceElement: main, target: `#${CSS.escape(element.id)}`, swap: "outerMorph", text: texts[index] });
    }
    late = Number(answers[0].headers.get("Silver-Judge-Lag"));
    document.dispatchEvent(new CustomEvent("locked", { detail: answers[0].headers.get("Silver-Locked") === "true" }));
    polled = Date.now();
  } catch {
    // The overlay says so.
  } finally {
    next = Date.now() + EVERY;
    busy = false;
    look();
  }
}

function look() {
  const moment = Date.now();
  const fresh = Math.max(ticked, polled);
  const judging = late > LATE;
  const lost = moment - fresh > DEAD || judging;
  const quiet = moment - ticked > QUIET;
  root.dataset.live = lost ? "lost" : quiet ? "reconnecting" : "live";
  if (!lost && !quiet) attempt = 0;
  if ((lost || quiet) && !busy && moment >= next) poll();
  if (lost !== !overlay.hidden) show(lost, judging ? now() - late * 1000 : fresh - moment + now());
  if (!lost) return;
  overlay.dataset.why = judging ? "judging" : "connection";
  part("lost-at").textContent = siteTime(lostAt);
  part("lost-ago").textContent = age(now() - lostAt);
  part("next-try").textContent = `${Math.max(0, Math.ceil((next - moment) / 1000))} s`;
  part("attempt").textContent = attempt;
}

function show(lost, since) {
  lostAt = since;
  overlay.hidden = !lost;
  main.inert = lost;
  if (lost) part("try-now").focus();
  else if (!busy) poll(); // frames may have been lost on the way
}

part("try-now").addEventListener("click", () => {
  if (Date.now() - ticked > QUIET) htmx.process(main, true); // even where htmx has given up
  if (!busy) poll();
});
document.addEventListener("beat", look);

// Sort by acuity again, but never under a hand.
setInterval(() => {
  const board = document.querySelector(".board");
  const free = board && !board.matches(":hover") && !board.contains(document.activeElement);
  if (new URLSearchParams(location.search).get("sort") === "acuity" && free && !busy) poll();
}, 60_000);
