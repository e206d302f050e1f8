// The server's time, learned from ticks, in the zone of the site.
const face = document.getElementById("clock");
const warning = document.getElementById("clock-warning");
let offset = Number(face.dataset.now) - Date.now();
let told = false;

const format = new Intl.DateTimeFormat("en-GB", { timeZone: face.dataset.zone, timeStyle: "medium" });

export const now = () => Date.now() + offset;
export const siteTime = (moment) => format.format(moment);

const whole = (milliseconds) => Math.max(0, Math.floor(milliseconds / 1000));
const two = (number) => String(Math.floor(number)).padStart(2, "0");

/** 4 s, 14 min, 1 h 05, 3 d: as the server's filter. */
export function age(milliseconds) {
  const s = whole(milliseconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86400 ? `${Math.floor(s / 3600)} h ${two((s % 3600) / 60)}` : `${Math.floor(s / 86400)} d`;
}

/** 0:42, from one hour on 1 h 05. */
export function duration(milliseconds) {
  const s = whole(milliseconds);
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : age(milliseconds);
}

export function learn(serverTime) {
  offset = serverTime - Date.now();
  told = true;
}

document.addEventListener("beat", () => {
  face.textContent = siteTime(now()).slice(0, 5);
  warning.hidden = !told || Math.abs(offset) <= 5000;
  if (warning.hidden) return;
  const said = warning.dataset[offset > 0 ? "slow" : "fast"].replace("#", age(Math.abs(offset)));
  if (warning.textContent !== said) warning.textContent = said;
});
