"""Who opened my record: what the audit knows of one patient, in their own words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.audit import queries
from silverwatch.domain.audit.queries import Opening
from silverwatch.domain.language import marked
from silverwatch.web import filters, gates, login, pages

URL: Final = "/portal/access"
DAYS: Final = 15
PAGES: Final = 6
"""So many days on a page, and so many pages: the last 90 days."""

VIEWS: Final[Mapping[str, str]] = {
    "ward": "looked at the ward screen",
    "patient": "looked at your record",
    "observations": "looked at your record",
    "notes": "looked at your record",
    "history": "looked at your record",
    "fluids": "looked at your record",
    "list of observations": "looked at your record",
    "audit": "looked up who opened your record",
    "emergencies": "checked an opening of your record in an emergency",
    "invitation of a patient": "looked up your name for an account",
    "approval of an account": "looked up your name for an account",
}
DEEDS: Final[Mapping[str, str]] = {
    "observations.recorded": "recorded observations",
    "observations.corrected": "corrected observations",
    "observations.exported": "saved your readings as a file",
    "fluids.recorded": "recorded what you drank or passed",
    "fluids.corrected": "corrected what you drank or passed",
    "fluids.exported": "saved your readings as a file",
    "note.written": "wrote a note about you",
    "note.changed": "changed a note about you",
    "note.struck_out": "took back a note about you",
    "trends.exported": "saved your readings as a file",
    "alert.acknowledged": "took an alarm of yours",
    "alert.resolved": "closed an alarm of yours",
    "emergency.begun": "opened your record in an emergency",
    "emergency.ended": "ended the opening in an emergency",
    "emergency.reviewed": "checked an opening of your record in an emergency",
    "audit.exported": "saved the list of who opened your record",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What one person did on one day. `reason` only for an emergency."""

    name: str | None
    role: str | None
    words: str
    reason: str | None
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the site's zone, newest deed first."""

    on: date
    deeds: list[Deed]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=access)


@gates.need(Permission.SEE_OWN_RECORD)
def access() -> Response:
    """Who opened my record?"""
    actor, now = login.actor(), clock.now()
    number = _page_number(request.args.get("page", ""))
    tomorrow = now.astimezone(ZoneInfo(filters.time_zone())).date() + timedelta(days=1)
    until = tomorrow - timedelta(days=DAYS * (number - 1))
    found: list[Opening] = []
    first_at: datetime | None = None
    if actor.patient_id is not None:
        with db.transaction(read_only=True) as session:
            found = queries.openings(
                session,
                actor.patient_id,
                own=actor.account_id,
                since=_midnight(until - timedelta(days=DAYS)),
                until=_midnight(until),
                zone=filters.time_zone(),
            )
            first_at = queries.first_opening(
                session, actor.patient_id, since=_midnight(tomorrow - timedelta(days=DAYS * PAGES))
            )
    has_older = first_at is not None and first_at < _midnight(until - timedelta(days=DAYS))
    return pages.answer(
        "patient/access.html",
        "Who opened my record",
        days=by_day(found),
        first=until - timedelta(days=DAYS),
        last=until - timedelta(days=1),
        newer=_address(number - 1) if number > 1 else None,
        older=_address(number + 1) if has_older and number < PAGES else None,
        now=now,
    )


def by_day(found: Iterable[Opening]) -> list[Day]:
    """The openings by days. Who did the same thing in two ways did it once."""
    days = []
    for on, group in groupby(found, key=lambda opening: opening.day):
        deeds: dict[tuple[str | None, ...], Deed] = {}
        for item in group:
            deed = Deed(
                name=item.name,
                role=item.role,
                words=words(item),
                reason=item.reason if item.action == "emergency.begun" else None,
                first_at=item.first_at,
                last_at=item.last_at,
            )
            key = (deed.name, deed.role, deed.words, deed.reason)
            same = deeds.get(key)
            deeds[key] = deed if same is None else _both(same, deed)
        days.append(Day(on=on, deeds=sorted(deeds.values(), key=lambda deed: deed.last_at, reverse=True)))
    return days


def words(item: Opening) -> str:
    """What somebody did, for the sentence "Amina looked at your record"."""
    if item.action == "record.viewed":
        return VIEWS.get(item.view or "", "looked at your record")
    return DEEDS.get(item.action, marked("worked with your record"))


def _both(one: Deed, other: Deed) -> Deed:
    return Deed(
        name=one.name,
        role=one.role,
        words=one.words,
        reason=one.reason,
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )


def _page_number(written: str) -> int:
    return int(written) if written in {str(number) for number in range(1, PAGES + 1)} else 1


def _address(number: int) -> str:
    return URL if number == 1 else f"{URL}?page={number}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(filters.time_zone()))
