// A session locks when nobody is there. A live board stays, with a panel that asks for the PIN; other pages are left.
const root = document.documentElement;
const panel = document.getElementById("lock-panel");
const idle = root.dataset.idleMinutes * 60_000;
const pace = Math.min(60_000, idle / 4);
const loaded = Date.now();
let told = 0;

const headers = { "HX-Request": "true" };
const send = (path, form) => {
  const body = form ? new FormData(form) : new FormData();
  if (!form) body.set("csrf_token", document.querySelector("[name=csrf_token]").value);
  return fetch(path, { method: "POST", headers, body, signal: AbortSignal.timeout(8000) });
};

function away() {
  location.assign(`/unlock?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function turn(locked) {
  if (!panel) return locked && away();
  if (panel.hidden !== locked) return;
  root.toggleAttribute("data-locked", locked);
  panel.hidden = !locked;
  panel.querySelector("#lock-secret").value = "";
  document.getElementById("lock-wrong").textContent = "";
}

// What a session that is not open is told.
function lead(answer) {
  const way = answer.headers.get("HX-Redirect");
  if (way === "/unlock") turn(true);
  else if (way) location.reload();
}

// Signs of life: a moved pointer, not a page that moved under it.
function alive(event) {
  const moment = Date.now();
  if (event.type === "pointermove" && !event.movementX && !event.movementY) return;
  if (root.hasAttribute("data-locked") || moment - told < pace) return;
  told = moment;
  localStorage.setItem("alive", moment);
  send("/session/activity").then(lead, () => {});
}
for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(name, alive, { passive: true });

// Other tabs: they lock, too, or they are sent back.
addEventListener("storage", ({ key }) => key === "locked" && !panel && send("/lock").then(away, away));
if (!panel) setInterval(() => Date.now() - Math.max(loaded, localStorage.getItem("alive")) > idle && away(), 5000);

document.getElementById("lock")?.addEventListener("submit", (event) => {
  localStorage.setItem("locked", Date.now());
  if (!panel) return;
  event.preventDefault();
  send("/lock", event.target).then((answer) => (answer.ok ? turn(true) : lead(answer)), () => {});
});

if (panel) {
  const form = document.getElementById("unlock");
  const secret = document.getElementById("lock-secret");
  const wrong = document.getElementById("lock-wrong");

  document.addEventListener("locked", ({ detail }) => turn(detail));
  document.addEventListener("htmx:ws:after:message:incoming", ({ detail: { message: { data } } }) => {
    if (data.startsWith('{"locked"')) turn(JSON.parse(data).locked);
  });
  // A button was pressed as the board locked: the board stays.
  document.addEventListener("htmx:before:response", ({ detail: { ctx } }) => {
    if (ctx.hx.redirect !== "/unlock") return;
    delete ctx.hx.redirect;
    turn(true);
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await send("/unlock", form);
      if (answer.ok) return turn(false);
      if (answer.status === 422) wrong.textContent = wrong.dataset.wrong.replace("#", (await answer.json()).left);
      else lead(answer);
      secret.value = "";
      secret.focus();
    } catch {
      wrong.textContent = wrong.dataset.failed;
    }
  });

  document.getElementById("use-password")?.addEventListener("click", (event) => {
    event.preventDefault();
    Object.assign(secret, { name: "password", inputMode: "text", maxLength: 256, value: "", className: "long" });
    form.querySelector("label").textContent = event.target.dataset.label;
    event.target.hidden = true;
    secret.focus();
  });

  // Whoever comes back just types.
  addEventListener("keydown", ({ key, target }) => {
    if (!panel.hidden && /^\d$/.test(key) && !target.closest("input, select, textarea, dialog")) secret.focus();
  });
}
