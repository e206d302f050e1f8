// Single keys, which can be switched off.
import { silence } from "./sound.js";

const help = document.getElementById("help");
const button = document.getElementById("help-open");
const enabled = document.getElementById("keys-on");
const ask = () => help.showModal();
enabled.checked = localStorage.getItem("keys") !== "off";
enabled.addEventListener("change", () => localStorage.setItem("keys", enabled.checked ? "on" : "off"));
button?.addEventListener("click", ask);
button?.removeAttribute("hidden");

const wall = () => {
  const link = document.getElementById("wall-link");
  if (link) return link.click();
  return document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
};
export const actions = {
  a: () => document.querySelector(":is(.alarm-bar, .alarm-strip) button.ack:not(.quiet)")?.click(),
  e: () => document.querySelector(".alarm-strip .escalate")?.click(),
  s: silence,
  f: wall,
  "?": ask,
};

document.addEventListener("keydown", (event) => {
  if (!enabled.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat || help.open) return;
  if (event.target.closest("input, select, textarea, [contenteditable]") || document.documentElement.dataset.live === "lost") return;
  const action = actions[event.key.toLowerCase()];
  if (action) event.preventDefault();
  action?.();
});
