"""The first page of administrators: the wards, and whether the system is well."""

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import queries
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import gates, login, pages
from silverwatch.web.ringing import ringer
from silverwatch.web.views import SystemLine, WardCard

LATE_S = 2.0
DOWN_S = 10.0


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/admin", view_func=overview)


@gates.need(Permission.SEE_OVERVIEW)
def overview() -> Response:
    """Is the system healthy?"""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        boards = queries.boards(session, [ward.id for ward in wards_of(session, login.actor())], now)
        system = _system(session)
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


def _system(session: Session) -> list[SystemLine]:
    lag_s = queries.judge_lag_s(session, now=clock.now())
    bus = ringer().bus.answers()
    return [
        SystemLine(name="Database", state="ok", detail="answers"),
        SystemLine(
            name="Judging",
            state="ok" if lag_s < LATE_S else ("late" if lag_s < DOWN_S else "down"),
            detail=f"{lag_s:.0f} s behind" if lag_s >= 1 else "up to date",
        ),
        SystemLine(
            name="Message bus",
            state="ok" if bus else "down",
            detail="answers" if bus else "screens read the database by the clock",
        ),
    ]
