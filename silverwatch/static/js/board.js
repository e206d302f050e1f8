// The live board: htmx swaps what the socket pushes, these modules do the rest.
import "./ages.js";
import "./alarms.js";
import "./clock.js";
import "./keys.js";
import "./liveness.js";
import "./sound.js";
import "./wall.js";

// A page out of the back-forward cache is old.
addEventListener("pageshow", (event) => event.persisted && location.reload());

const notice = document.getElementById("notice");
const clear = () => setTimeout(() => (notice.textContent = ""), 8000);
document.addEventListener("htmx:after:swap", () => notice.textContent && clear());
for (const name of ["htmx:response:error", "htmx:error"]) {
  document.addEventListener(name, (event) => {
    if (!event.target.closest?.(".ack")) return;
    notice.textContent = notice.dataset.failed;
    clear();
  });
}

// A place at home came or went: once a minute at most.
document.addEventListener("htmx:after:swap", () => {
  const shown = document.querySelectorAll(".bed").length;
  if (performance.now() > 60_000 && document.querySelector(`[data-places]:not([data-places="${shown}"])`)) location.reload();
});

// One heart for all. Ticks of the socket beat too: browsers slow the timers of hidden tabs.
const beat = () => document.dispatchEvent(new Event("beat"));
beat();
setInterval(beat, 1000);
