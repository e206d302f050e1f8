// A panel that waits for a device: what is pushed is swapped, the countdown runs, and no alarm sounds here.
import "./ages.js";
import "./liveness.js";

// A page out of the back-forward cache is old.
addEventListener("pageshow", (event) => event.persisted && location.reload());

const beat = () => document.dispatchEvent(new Event("beat"));
beat();
setInterval(beat, 1000);
