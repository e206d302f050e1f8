"""The alarm inbox: what is open, whose is it, for how long? `/alerts`, `/alerts/<id>` and what was resolved today."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import inbox_filter
from silverwatch.domain.access import Actor, Permission
from silverwatch.domain.alerts import inbox_filter as filtering
from silverwatch.domain.alerts import inbox_queries, load, queries
from silverwatch.domain.alerts.inbox import FAMILIES, AlarmList, Detail, InboxRow
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.notices import own, panes
from silverwatch.domain.wards.models import Ward
from silverwatch.domain.wards.queries import wards_of
from silverwatch.live.looks import first_looks
from silverwatch.live.places import Where, may_show, places_of
from silverwatch.live.regions import Key
from silverwatch.web import auditing, filters, gates, login, pages

ALL: Final = "all"
MINE: Final = "mine"
PAGE: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which wards are shown: `name` is a ward's slug, "all", or "mine": the beds that the reader has taken."""

    name: str
    wards: tuple[Ward, ...]
    choices: tuple[Ward, ...]

    @property
    def ids(self) -> list[UUID]:
        """The wards' ids."""
        return [ward.id for ward in self.wards]


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/alerts", view_func=inbox)
    blueprint.add_url_rule("/alerts/<uuid:alert_id>", view_func=alarm)
    blueprint.add_url_rule("/alerts/resolved", view_func=resolved)


# As the ward board: it is live, and opening it again by itself is no sign of life.
@gates.need(Permission.TAKE_ALARMS, passive=True)
def inbox() -> Response:
    """What is open, and whose is it? The most urgent one is opened beside the list."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        scope = scope_of(session, actor)
        lists = _lists(session, scope, actor, now=now)
        wanted = inbox_filter.wanted()
        shown = (row for row in _ordered(lists) if row.group != "resolved" and wanted.shows(row))
        first = next(shown, None)
        detail = panes.details(session, [first.line.id], now)[first.line.id] if first else None
        footer = load.summary(session, scope.ids, since=now - load.PERIODS["24h"], now=now)
    return _page(scope, lists, detail, footer=footer, chosen=False, now=now)


@gates.need(Permission.TAKE_ALARMS, passive=True)
def alarm(alert_id: UUID) -> Response:
    """The same with this alarm open."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        key: Key = ("alarm-detail", alert_id)
        where = places_of(session, [key], now=now).get(key)
        if where is None or not may_show(actor, key, where):
            raise NotFoundError("There is no such alarm.")
        scope = scope_of(session, actor, ward_id=where.ward_id)
        lists = _lists(session, scope, actor, now=now)
        detail = panes.details(session, [alert_id], now)[alert_id]
        footer = load.summary(session, scope.ids, since=now - load.PERIODS["24h"], now=now)
    with db.transaction() as session:
        own.see_alarm(session, actor.account_id, alert_id, now=now)
    return _page(scope, lists, detail, footer=footer, chosen=True, now=now)


@gates.need(Permission.TAKE_ALARMS)
def resolved() -> Response:
    """What was done since midnight."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        scope = scope_of(session, actor)
        rows = inbox_queries.done_since(session, scope.ids, since=filters.midnight(now), now=now)
        looks = first_looks(session, {("alarm-list", ward): Where(ward) for ward in scope.ids}, now=now)
    for look in looks:
        auditing.viewed(look.view, patient_ids=look.patient_ids, ward_id=look.ward_id)
    number = _number(request.args.get("page"), most=max(1, -(-len(rows) // PAGE)))
    return pages.answer(
        "caregiver/resolved.html",
        "Alarms",
        scope=scope,
        rows=rows[(number - 1) * PAGE : number * PAGE],
        total=len(rows),
        number=number,
        pages=max(1, -(-len(rows) // PAGE)),
        now=now,
    )


def scope_of(session: Session, actor: Actor, *, ward_id: UUID | None = None) -> Scope:
    """The wards that the reader asks for, their first one where they ask for none that is theirs."""
    choices = wards_of(session, actor)
    if not choices:
        raise NotFoundError("You belong to no ward yet.")
    asked = request.args.get("scope", "")
    if asked in (ALL, MINE):
        return Scope(name=asked, wards=tuple(choices), choices=tuple(choices))
    by_id = next((ward for ward in choices if ward.id == ward_id), choices[0])
    ward = next((ward for ward in choices if ward.slug == asked), by_id)
    return Scope(name=ward.slug, wards=(ward,), choices=tuple(choices))


def _lists(session: Session, scope: Scope, actor: Actor, *, now: datetime) -> dict[UUID, AlarmList]:
    if scope.name == MINE:
        return inbox_queries.own_lists(session, [actor.account_id], now)
    return inbox_queries.alarm_lists(session, scope.ids, now)


def _ordered(lists: dict[UUID, AlarmList]) -> list[InboxRow]:
    """The rows of several wards, the most urgent group first."""
    return [row for found in lists.values() for row in found.rows]


def _page(
    scope: Scope,
    lists: dict[UUID, AlarmList],
    detail: Detail | None,
    *,
    footer: load.Summary,
    chosen: bool,
    now: datetime,
) -> Response:
    found = login.session_of_view()
    is_mine = scope.name == MINE
    regions: dict[Key, Where] = {
        (item.region, subject): Where(account_id=subject) if is_mine else Where(subject)
        for subject, item in lists.items()
    }
    if detail is not None:
        patient = detail.row.patient
        regions["alarm-detail", detail.row.line.id] = Where(
            detail.row.ward_id, patient.id if patient else None
        )
    with db.transaction(read_only=True) as session:
        counts = {} if is_mine else queries.counts(session, list(lists), now)
        looks = first_looks(session, regions, now=now)
    for look in looks:
        auditing.viewed(look.view, patient_ids=look.patient_ids, ward_id=look.ward_id)
    dom_ids = [f"{name}-{subject}" for name, subject in regions] + [f"counts-{ward}" for ward in counts]
    return pages.answer(
        "caregiver/inbox.html",
        "Alarms",
        audience=pages.audience(found),
        live_url=pages.live_address(dom_ids),
        scope=scope,
        lists=tuple(lists.values()),
        detail=detail,
        chosen=chosen,
        counts_of=counts,
        footer=footer,
        wanted=inbox_filter.wanted(),
        families=FAMILIES,
        beds=_beds(lists),
        hidden=filtering.hidden(lists.values(), inbox_filter.wanted()),
        query=request.query_string.decode("ascii", "ignore"),
        taken_by=_taken_before(detail, now=now),
        now=now,
    )


def _beds(lists: dict[UUID, AlarmList]) -> list[tuple[UUID, str]]:
    """The beds that have an alarm, for the choice of one: (id, label) in the order of their labels."""
    found = {row.line.bed_id: row.line.bed_label or "" for row in _ordered(lists) if row.line.bed_id}
    return sorted(found.items(), key=lambda item: (len(item[1]), item[1]))


def _taken_before(detail: Detail | None, *, now: datetime) -> Detail | None:
    """The alarm, if somebody else had it when this person pressed the button (without JavaScript)."""
    if detail is None or "taken" not in request.args or detail.row.line.acknowledged_at is None:
        return None
    return detail if now - detail.row.line.acknowledged_at < timedelta(minutes=10) else None


def _number(written: str | None, *, most: int) -> int:
    return min(most, max(1, int(written))) if written and written.isascii() and written.isdigit() else 1
