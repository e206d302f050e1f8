"""Every letter and notice in every language: it says what it must, and nothing of it is left in English."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from silverwatch.domain.accounts.profile import LANGUAGES
from silverwatch.domain.notices.ready import Ready
from silverwatch.web import letters

AT = datetime(2026, 5, 2, 9, 7, tzinfo=UTC)
URL = "https://ward.example/x"
TEMPLATES = Path(letters.__file__).parents[1] / "templates/mail"
ENGLISH = re.compile(r"\b(the|of|and|with|is|are|this|was|not|you|your|has|by|to|for)\b", re.IGNORECASE)


def ready(**values: Any) -> Ready:
    """A notice of a high alarm in bed 7."""
    known: dict[str, Any] = {
        "id": UUID(int=1), "alert_id": UUID(int=2), "channel": "sms", "address": "+254700000001", "address_id": None,
        "secret": None, "account_id": UUID(int=3), "language": "en", "priority": "high", "technical": False,
        "kind": "limit", "vital": "heart_rate", "side": "high", "ward_name": "4B", "ward_slug": "4b", "bed": "7",
        "raised_at": AT, "created_at": AT, "ended": True, "repeat": True,
    }  # fmt: skip
    return Ready(**{**known, **values})


NOTICES = [
    {},
    {"side": "low", "vital": "oxygen_saturation", "priority": "medium"},
    *({"kind": kind, "vital": None, "side": None, "technical": kind not in ("fall", "help")}
      for kind in ("sensor_off", "device_silent", "low_battery", "fall", "help", "nobody_on_duty", "drill")),
    {"kind": "news2", "vital": None, "side": None},
    {"ward_name": None, "ward_slug": None, "bed": None, "kind": "nobody_on_duty", "vital": None, "side": None},
]  # fmt: skip
DATA: dict[str, list[dict[str, Any]]] = {
    "already_registered": [{}],
    "approved": [{"name": "Amina", "url": URL}],
    "checks_due": [
        {"checks": 1, "first_at": AT, "serials": "SW-1", "others": 0},
        {"checks": 7, "first_at": AT, "serials": "SW-1, SW-2", "others": 5},
    ],
    "confirm": [{"url": URL, "hours": 24}],
    "email_change": [{"url": URL, "hours": 1}],
    "email_changed": [{}],
    "emergency_access": [{"name": "Amina", "at": AT, "until": AT}],
    "invitation": [
        {"name": "Amina", "role": role, "url": URL, "hours": 72}
        for role in ("admin", "caregiver", "technician", "patient")
    ],
    "password_changed": [{}],
    "reset": [{"url": URL, "minutes": 30}],
    "second_factor_changed": [
        {"name": "Amina", "what": what} for what in ("set_up", "codes", "recovery_code_used", "off", "reset")
    ],
    "test": [{"name": "Amina"}],
    "address_code": [{"code": "482911", "base_url": "https://ward.example"}],
    "notice": [{"notice": ready(**values), "base_url": "https://ward.example"} for values in NOTICES],
    "notice_test": [{"notice": ready(), "base_url": "https://ward.example"}],
}
PLAIN = frozenset({"address_code", "notice", "notice_test"})
"""These also go out as SMS and pushes, without the footer of a letter."""


def test_no_template_is_forgotten() -> None:
    assert set(DATA) == {path.stem for path in TEMPLATES.glob("[!_]*.txt")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DATA)
def test_a_letter(name: str, language: str) -> None:
    for values in DATA[name]:
        write = letters.plain if name in PLAIN else letters.letter
        subject, body = write(name, language=language, **values)
        assert subject
        assert "\n" not in subject
        for told in (values.get(key) for key in ("name", "url", "code", "serials")):
            assert told is None or told in subject + body
        said = re.sub(r"https?://\S+", "", f"{subject}\n{body}")
        assert "{" not in said
        if language == "en":
            assert ENGLISH.search(said)
        else:
            english = "\n".join(write(name, language="en", **values)).splitlines()
            assert ENGLISH.search(said) is None, said
            assert subject not in english
