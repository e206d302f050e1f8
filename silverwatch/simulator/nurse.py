"""The demo's nurse: signs in like anybody and records observations with the form, over HTTP."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from silverwatch import clock
from silverwatch.simulator.errors import SimulatorError
from silverwatch.simulator.history import ManualSet

TIMEOUT_S: Final = 10.0
_FIELD: Final = re.compile(r'name="(csrf_token|form_id)" value="([^"]+)"')
_CHOICE: Final = re.compile(r'name="(q-[a-z0-9_]+)"(?: id="[^"]+")? value="([^"]+)"')
_WHEN: Final = re.compile(r'name="(at)" type="datetime-local" value="([^"]+)"')
_DUE: Final = re.compile(
    r'action="(/patients/[0-9a-f-]{36}/medications/[0-9a-f-]{36}/due/([0-9]+))">'
    r'<input type="hidden" name="csrf_token" value="([^"]+)"'
)
_BED: Final = re.compile(r'name="take" value="([0-9a-f-]{36})"')


class Nurse:
    """One browser session without a browser."""

    def __init__(self, base_url: str, *, email: str, password: str) -> None:
        self._base_url, self._email, self._password = base_url.rstrip("/"), email, password
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._signed_in = False

    def record(self, patient_id: str, manual: ManualSet) -> None:
        """Store one set; raises SimulatorError when the server does not take it."""
        url = f"/patients/{patient_id}/observations"
        fields = self._form(f"{url}/new")
        body = {name: str(value) for name, value in manual.values.items()}
        # She has looked twice at whatever is unusual.
        looked = " ".join(f"{name}={value}" for name, value in body.items())
        self._post(url, {**fields, **body, "measured_at": manual.at.isoformat(), "confirmed": looked})

    def begin_shift(self, ward: str) -> None:
        """Accept duty in a ward with the sheet of its handover, and take every bed that nobody has taken."""
        self._post(f"/handover/{ward}", self._form(f"/handover/{ward}"))
        page, _ = self._open("/shift/beds")
        beds = ",".join(_BED.findall(page))
        if beds:
            self._post("/shift/beds", {"csrf_token": dict(_FIELD.findall(page))["csrf_token"], "take": beds})

    def plan(self, patient_id: str, what: str, *, in_min: int, every_h: int | None) -> None:
        """Add a task that is due in so many minutes, one of those that the form offers."""
        url = f"/patients/{patient_id}/tasks"
        when = str(in_min) if in_min else "now"
        self._post(url, {**self._form(url), "what": what, "when": when, "repeat": str(every_h or "")})

    def set_goal(self, patient_id: str, goal: Mapping[str, str], *, progress: str, task: str) -> None:
        """Set a goal of the care plan, with a word about how far it is and a task that is done for it."""
        url = f"/patients/{patient_id}/plan/goals"
        fields = self._form(f"{url}/new")
        self._post(url, {**fields, **goal})
        own = f"{url}/{fields['form_id']}"
        self._post(f"{own}/progress", {**self._form(own), "text": progress})
        tasks = f"/patients/{patient_id}/tasks"
        self._post(tasks, {**self._form(tasks), "what": task, "when": "120", "goal": fields["form_id"]})

    def assess(self, patient_id: str, instrument: str, answers: Mapping[str, str], *, note: str) -> None:
        """Answer every question of an assessment, as done just now and due again after the usual time."""
        url = f"/patients/{patient_id}/plan/assess/{instrument}"
        page, _ = self._open(url)
        fields = dict(_FIELD.findall(page)) | dict(_WHEN.findall(page))
        fields |= dict(reversed(_CHOICE.findall(page)))
        given = {f"q-{question}": choice for question, choice in answers.items()}
        self._post(url, {**fields, **given, "again": "24", "note": note})

    def give(self, patient_id: str, *, since: datetime, until: datetime) -> None:
        """Record as given, one by one, the doses of a patient that were due from then until before then."""
        for path, due_ms, token in _DUE.findall(self._page(f"/patients/{patient_id}/medications")):
            if clock.epoch_ms(since) <= int(due_ms) < clock.epoch_ms(until):
                self._post(path, {"csrf_token": token})

    def _form(self, path: str) -> dict[str, str]:
        """The hidden fields of a form."""
        return dict(_FIELD.findall(self._page(path)))

    def _page(self, path: str) -> str:
        """A page, after signing in if that is what it takes."""
        for _ in range(2):
            page, address = self._open(path)
            if not urllib.parse.urlsplit(address).path.startswith("/login"):
                return page
            token = dict(_FIELD.findall(page)).get("csrf_token", "")
            self._post("/login", {"csrf_token": token, "email": self._email, "password": self._password})
        raise SimulatorError(f"{self._email} cannot sign in")

    def _post(self, path: str, fields: Mapping[str, str]) -> None:
        self._open(path, urllib.parse.urlencode(fields).encode())

    def _open(self, path: str, body: bytes | None = None) -> tuple[str, str]:
        try:
            with self._opener.open(self._base_url + path, data=body, timeout=TIMEOUT_S) as answer:
                return answer.read().decode(), answer.geturl()
        except urllib.error.HTTPError as error:
            raise SimulatorError(f"{path}: answered {error.code}") from None
        except OSError as error:
            raise SimulatorError(f"{path}: {error}") from None
