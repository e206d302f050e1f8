// A page without a socket: what stands above it, and the counts in its rail, are asked for again and again. Where no
// answer comes the page says so: it must not look calm because it hears nothing.
const EVERY = 2_000, SELDOM = 5, DEAD = 15_000;
const line = document.getElementById("renewal-lost");
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: line.dataset.zone, timeStyle: "short" });
let heard = Date.now(), round = 0, ended = false;

function put(element, text) {
  const found = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
  if (!found || found.id !== element.id || found.isEqualNode(element)) return;
  const focus = element.contains(document.activeElement) ? document.activeElement.id : "";
  element.replaceWith(found);
  if (focus) document.getElementById(focus)?.focus();
}

async function renew() {
  try {
    // The counts change more often than they matter.
    const counts = (round++ % SELDOM) ? [] : [...document.querySelectorAll(".rail [data-region-url]")];
    const parts = [...document.querySelectorAll(".staff-bar[data-region-url]"), ...counts];
    await Promise.all(parts.map(async (element) => {
      const answer = await fetch(element.dataset.regionUrl, {
        headers: { "HX-Request": "true", "HX-Request-Type": "partial" }, cache: "no-store", signal: AbortSignal.timeout(4000),
      });
      if ([401, 404].includes(answer.status)) ended = true; // no longer ours to see; what is half written stays
      if (!answer.ok) throw new Error(String(answer.status));
      put(element, await answer.text());
    }));
    heard = Date.now();
  } catch {
    // Said below, once it has lasted.
  }
  const lost = ended || Date.now() - heard > DEAD;
  if (lost && line.hidden) line.textContent = (ended ? line.dataset.ended : line.dataset.text).replace("#", clock.format(heard));
  line.hidden = !lost;
  if (!ended) setTimeout(renew, EVERY);
}

setTimeout(renew, EVERY);
// A page out of the back-forward cache is old.
addEventListener("pageshow", (event) => event.persisted && location.reload());
