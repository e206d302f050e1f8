// Ages go on rising when the server is dead.
import { age, duration, now } from "./clock.js";

function write() {
  for (const element of document.querySelectorAll("time[data-t]")) {
    const past = now() - element.dataset.t;
    element.textContent = "left" in element.dataset ? duration(-past) : "since" in element.dataset ? duration(past) : age(past);
  }
  for (const element of document.querySelectorAll("[data-until]")) element.hidden = now() > element.dataset.until;
  for (const element of document.querySelectorAll("[data-from]")) element.hidden = now() <= element.dataset.from;
}

document.addEventListener("beat", write);
document.addEventListener("htmx:after:swap", write);
