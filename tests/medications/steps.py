"""What the tests of medications share: adding one through its form, and reading what is stored."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from silverwatch import clock
from silverwatch.web import filters
from tests.cast import Cast
from tests.checked import CheckedClient
from tests.conftest import Site


def url(cast: Cast, medication_id: object = "") -> str:
    """The medications of Achieng, or one of them."""
    base = f"/patients/{cast.achieng.patient_id}/medications"
    return f"{base}/{medication_id}" if medication_id else base


def form(**more: object) -> dict[str, Any]:
    """What the form sends for a medication three times a day, but for what is said."""
    return {
        "form_id": str(clock.new_id()),
        "name": "Paracetamol tablets",
        "dose": "500 mg",
        "route": "oral",
        "kind": "times",
        "time": ["08:00", "14:00", "20:00"],
        "weekday": ["0", "1", "2", "3", "4", "5", "6"],
        "begins": local(clock.now()),
        **more,
    }


def hourly(**more: object) -> dict[str, Any]:
    """What it sends for one that is given every hour, the first time some hours ago."""
    begins = clock.now() - timedelta(hours=3)
    return form(kind="interval", every_h="1", begins=local(begins), **more)


def needed(**more: object) -> dict[str, Any]:
    """What it sends for one that is given as needed."""
    asked = {"reason": "pain", "least_min": "240", "most_24h": "2"}
    return form(name="Morphine", dose="5 mg", kind="as_needed", **asked, **more)


def local(at: datetime) -> str:
    """A moment as a field of the form has it."""
    return filters.local_minute(at)


def add(amina: CheckedClient, site: Site, cast: Cast, **more: object) -> UUID:
    """Add a medication; its id."""
    sent = form(**more)
    return sent_in(amina, site, cast, sent)


def sent_in(amina: CheckedClient, site: Site, cast: Cast, sent: dict[str, Any]) -> UUID:
    """Send a form in; the id of the medication."""
    answer = amina.submit(url(cast), sent)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    found: UUID = site.row("SELECT id FROM medication WHERE id = %s", UUID(sent["form_id"]))[0]
    return found
