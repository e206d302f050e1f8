"""The first page of administrators: the wards, and whether the system is well."""

from datetime import datetime
from typing import Final

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import parts, queries
from silverwatch.domain.language import marked
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import gates, login, pages
from silverwatch.web.ringing import ringer
from silverwatch.web.views import SystemLine, WardCard


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/admin", view_func=overview)


@gates.need(Permission.SEE_OVERVIEW)
def overview() -> Response:
    """Is the system healthy?"""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        boards = queries.boards(session, [ward.id for ward in wards_of(session, login.actor())], now)
        system = _system(session, now=now)
    wards = [
        WardCard(
            slug=board.ward.slug,
            name=board.ward.name,
            description=board.ward.description,
            beds=len(board.tiles),
            patients=sum(tile.patient is not None for tile in board.tiles),
            high=board.counts.high,
            medium=board.counts.medium,
            technical=board.counts.technical,
        )
        for board in boards.values()
    ]
    return pages.answer("admin/home.html", "Overview", wards=wards, system=system, now=now)


NAMES: Final = {
    "judging": "Judging",
    "guard": "Scheduler",
    "notices": "Notices",
    "housekeeping": "Housekeeping",
    "letters": "Letters",
    "alarm_worker": "Alarm worker",
    "report_worker": "Report worker",
    "clock": "Clocks",
    "storage": "Room for readings",
    "bus": "Message bus",
}


def _system(session: Session, *, now: datetime) -> list[SystemLine]:
    """Each part in words; the database has answered, or nobody would read this."""
    found = parts.look(session, now=now, bus=ringer().bus.answers())
    lines = [SystemLine(name=NAMES.get(p.name, p.name), state=p.state, detail=_detail(p)) for p in found]
    return [SystemLine(name="Database", state="ok", detail=marked("answers")), *lines]


def _detail(part: parts.Part) -> str:
    if part.state == "ok":
        return marked("up to date") if part.name == "judging" else marked("works")
    if part.behind_s:
        return f"Behind by {part.behind_s:.0f} s" if part.name == "judging" else f"{part.behind_s:.0f} s"
    return marked("screens read the database by the clock") if part.name == "bus" else marked("never seen")
