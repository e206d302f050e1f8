// What the alarm bar says: for the title, the announcement of new highs, and the sound.
const announcer = document.getElementById("announcer");
const title = document.title.replace(/^\(\d+ [^)]+\) /, "");
let known = null;

/** The untaken alarms, most urgent first. */
export function open() {
  const lines = new Map([...document.querySelectorAll("[data-alarm-id][data-state=new]")].map((line) => [line.dataset.alarmId, line]));
  return [...lines.values()].map((line) => ({
    id: line.dataset.alarmId,
    priority: line.dataset.priority,
    text: line.querySelector(".text").textContent.trim(),
    quiet: "quiet" in line.dataset,
  }));
}

function look() {
  const highs = open().filter((alarm) => alarm.priority === "high");
  // The rail knows all wards.
  const count = Number(document.querySelector(".alarm-badge")?.dataset.highs ?? highs.length);
  const wanted = (count ? `(${count} ${document.documentElement.dataset.high}) ` : "") + title;
  if (document.title !== wanted) document.title = wanted;
  const news = highs.filter((alarm) => known && !known.has(alarm.id));
  if (news.length) announcer.textContent = news.map((alarm) => alarm.text).join(". ");
  known = new Set(highs.map((alarm) => alarm.id));
}

document.addEventListener("beat", look);
document.addEventListener("htmx:after:swap", look);
