// A set of observations without lifting the hand: a keypad on the screen, Enter for the next field, one key for a choice.
const form = document.getElementById("observations");
const pad = document.getElementById("keypad");
const toggle = document.getElementById("keypad-toggle");
const title = document.getElementById("pad-title");
const digits = pad.querySelector(".digits");
const picks = pad.querySelector(".picks");
const stops = [...form.querySelectorAll(".round > .field")];
const narrow = matchMedia("(max-width: 1023px)");
let at = null;

const number = (stop) => stop.querySelector("input:not([type])");
const choices = (stop) => [...stop.querySelectorAll("input[type=radio]")];
const isOn = () => toggle.getAttribute("aria-pressed") === "true";
/** Who breathes air is asked for no flow. */
const isAsked = (stop) => number(stop)?.id !== "supplemental_oxygen" || !form.querySelector("[name=air][value=air]").checked;

function go(stop) {
  const field = number(stop) ?? choices(stop).find((one) => one.checked) ?? choices(stop)[0];
  field.focus({ preventScroll: true });
  if (number(stop)) field.select();
  stop.scrollIntoView({ block: "center" });
}

function step(by) {
  const asked = stops.filter((stop) => stop === at || isAsked(stop));
  const to = asked[asked.indexOf(at) + by];
  if (to) go(to);
  else if (by > 0) form.querySelector(".actions .primary").focus();
}

function pick(one) {
  one.checked = true;
  if (one.name === "air" && one.value === "air") form.querySelector("#supplemental_oxygen").value = "";
  one.dispatchEvent(new Event("input", { bubbles: true }));
  step(1);
}

/** Where the hand is: the pad shows that field, its unit, or its choices. */
function arrive(stop) {
  at = stop;
  const field = number(stop);
  for (const other of stops) other.classList.toggle("here", other === stop);
  const unit = field ? document.getElementById(`${field.id}-unit`).firstChild.textContent.trim() : "";
  title.textContent = [stop.querySelector("label, legend").textContent, unit].filter(Boolean).join(" · ");
  digits.hidden = !field;
  picks.hidden = Boolean(field);
  picks.replaceChildren(...choices(stop).map((one) => {
    const button = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1 });
    button.textContent = one.closest("label").textContent.trim();
    button.addEventListener("click", () => pick(one));
    return button;
  }));
}

const acts = {
  next: () => step(1),
  before: () => step(-1),
  back: () => put("", -1),
};

function put(text, more = 0) {
  const field = number(at ?? stops[0]);
  if (!field || (text && field.value.length >= field.maxLength)) return;
  const [from, to] = [field.selectionStart, field.selectionEnd];
  field.setRangeText(text, from === to ? Math.max(0, from + more) : from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

pad.addEventListener("pointerdown", (event) => event.preventDefault());
pad.addEventListener("click", (event) => {
  const key = event.target.closest("[data-type], [data-act]");
  if (!key) return;
  if (!at) go(stops[0]);
  if (key.dataset.type) put(key.dataset.type);
  else acts[key.dataset.act]();
});

form.addEventListener("focusin", (event) => {
  const stop = event.target.closest(".round > .field");
  if (stop) arrive(stop);
});

form.addEventListener("keydown", (event) => {
  const stop = event.target.closest(".round > .field");
  if (!stop || event.altKey) return;
  if (event.key === "Enter") {
    event.preventDefault();
    return event.ctrlKey || event.metaKey ? form.requestSubmit() : step(event.shiftKey ? -1 : 1);
  }
  if (event.target.type !== "radio" || event.ctrlKey || event.metaKey) return;
  const one = choices(stop).find((item) => item.value[0].toLowerCase() === event.key.toLowerCase());
  if (!one) return;
  event.preventDefault();
  pick(one);
});

// A tap on a choice goes on by itself; the arrows of the keyboard only move among them (their clicks have no detail).
form.addEventListener("click", (event) => {
  const one = event.detail > 0 && event.target.closest(".options .option")?.querySelector("input[type=radio]");
  if (one?.closest(".round")) setTimeout(() => pick(one));
});

function show(on) {
  toggle.setAttribute("aria-pressed", on);
  pad.hidden = !on;
  document.getElementById("main").classList.toggle("with-keypad", on);
  // The screen keyboard of a phone would lie over this one.
  for (const stop of stops) number(stop)?.setAttribute("inputmode", on ? "none" : "decimal");
}

toggle.hidden = false;
document.getElementById("keys-line").hidden = false;
toggle.addEventListener("click", () => {
  show(!isOn());
  localStorage.setItem("keypad", isOn() ? "on" : "off");
  if (isOn()) go(at ?? stops[0]);
});
const kept = localStorage.getItem("keypad");
show(kept ? kept === "on" : matchMedia("(pointer: coarse)").matches);
if (!document.querySelector("[autofocus]")) {
  stops[0].querySelector("input").focus({ preventScroll: true });
  if (narrow.matches && isOn()) stops[0].scrollIntoView({ block: "center" });
}
