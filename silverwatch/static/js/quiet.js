// A page that is live and silent, for devices: what is pushed is swapped, ages and countdowns run, no alarm sounds here.
import "./ages.js";
import "./liveness.js";

// A page out of the back-forward cache is old.
addEventListener("pageshow", (event) => event.persisted && location.reload());

const beat = () => document.dispatchEvent(new Event("beat"));
beat();
setInterval(beat, 1000);
