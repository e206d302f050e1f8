// A wall display: no cursor, no sleep, a drift against burn-in, dark at night.
import { now, siteTime } from "./clock.js";

const root = document.documentElement;

if (root.classList.contains("wall")) {
  const byClock = root.dataset.theme === "auto";
  let idle = 0;
  const awake = () => {
    clearTimeout(idle);
    root.classList.remove("idle");
    idle = setTimeout(() => root.classList.add("idle"), 5000);
  };
  addEventListener("pointermove", awake);
  awake();

  const hold = () => document.hidden || navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", hold);
  hold();

  document.addEventListener("beat", () => {
    const hour = parseInt(siteTime(now()));
    if (byClock) root.dataset.theme = hour >= 19 || hour < 7 ? "night" : "day";
    root.dataset.shift = Math.floor(Date.now() / 60_000) % 4;
  });
}
