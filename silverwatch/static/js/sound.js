// Alarm sounds; one tab of a ward sounds.
import { open } from "./alarms.js";
import { duration } from "./clock.js";

const HALF = [0, 0.16, 0.32, 0.6, 0.76];
const BURSTS = {
  high: { every: 10, pitch: 660, at: [...HALF, ...HALF.map((second) => second + 1.5)] },
  medium: { every: 25, pitch: 520, at: [0, 0.25, 0.5] },
  low: { every: 30, pitch: 392, at: [0] },
  lost: { every: 60, pitch: 300, at: [0, 0.5, 1, 1.5] },
};
const PAUSE = 120_000;
const root = document.documentElement;
const box = document.getElementById("sound");
const toggle = document.getElementById("sound-toggle");
const left = document.getElementById("silence-left");
let context = null, wave = null, release = null, leader = true, silencedUntil = 0, silenced = new Set(), last = [], due = 0;

const on = () => context?.state === "running";

async function turnOn() {
  context ??= new AudioContext();
  // Harmonics: the ear finds them in a room.
  wave ??= context.createPeriodicWave(new Float32Array(7), new Float32Array([0, 1, 0.8, 0.6, 0.5, 0.4, 0.3]));
  await context.resume();
  localStorage.setItem("sound", "on");
  leader = !navigator.locks;
  navigator.locks?.request(`sound${location.pathname.replace(/\/wall$/, "")}`, () => new Promise((resolve) => {
    if (!on()) return resolve();
    leader = true;
    release = resolve;
  }));
  due = 0;
  beat();
}

async function turnOff() {
  await context.suspend();
  localStorage.setItem("sound", "off");
  release?.();
  release = null;
  beat();
}

function play({ at, pitch }) {
  for (const second of at) {
    const start = context.currentTime + second + 0.02;
    const tone = new OscillatorNode(context, { frequency: pitch });
    const gain = new GainNode(context, { gain: 0 });
    tone.setPeriodicWave(wave);
    gain.gain.setValueCurveAtTime([0, 0.4, 0.4, 0.4, 0.4, 0], start, 0.13);
    tone.connect(gain).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.15);
  }
}

/** Quiet for the alarms that are known now; a new one sounds at once. */
export function silence() {
  silenced = new Set(open().map((alarm) => alarm.id));
  silencedUntil = Date.now() + PAUSE;
  beat();
}

function beat() {
  const moment = Date.now();
  const alarms = open();
  const quiet = moment < silencedUntil;
  const heard = root.dataset.live === "lost" ? [{ priority: "lost" }] : alarms.filter((alarm) => !alarm.quiet && (!quiet || !silenced.has(alarm.id)));
  const kind = Object.keys(BURSTS).find((priority) => heard.some((alarm) => alarm.priority === priority));
  box.hidden = false;
  box.dataset.state = !on() ? "off" : leader ? "on" : "other";
  box.toggleAttribute("data-alarms", alarms.length > 0);
  toggle.setAttribute("aria-pressed", on());
  left.textContent = quiet ? duration(silencedUntil - moment) : "";
  const ids = heard.filter((alarm) => alarm.priority === kind).map((alarm) => kind + alarm.id);
  const news = ids.some((id) => !last.includes(id));
  last = ids;
  if (!kind || !on() || !leader || (moment < due && !news)) return;
  due = moment + BURSTS[kind].every * 1000;
  play(BURSTS[kind]);
}

toggle.addEventListener("click", () => (on() ? turnOff() : turnOn()));
document.getElementById("silence").addEventListener("click", silence);
document.getElementById("test-sound").addEventListener("click", async () => {
  if (!on()) await turnOn();
  play(BURSTS.medium);
});
document.addEventListener("beat", beat);
document.addEventListener("htmx:after:swap", beat);
if (localStorage.getItem("sound") === "on" && navigator.userActivation?.hasBeenActive) turnOn();
