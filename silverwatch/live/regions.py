"""The live regions: each is a topic, a permission, a query, a partial and a URL, listed once.

A region is a GET that pushes itself: the page includes its partial, its URL returns it, the socket sends it,
all drawn from the same values by the same template.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor, Permission, may_keep_devices, may_see_patient, may_see_ward
from silverwatch.domain.alerts import (
    inbox_queries,
    news_card,
    overview,
    present,
    queries,
    rounds,
    timeline,
)
from silverwatch.domain.notices import panes
from silverwatch.domain.readings import pairing_panel
from silverwatch.domain.wards.queries import wards_of_beds
from silverwatch.web.audience import Audience
from silverwatch.web.templating import render

Load = Callable[[Session, Sequence[UUID], datetime], Mapping[UUID, Any]]
Subject = Literal["bed", "ward", "patient", "alert", "account", "pairing"]
MOVING: Final = frozenset({"patient", "alert"})
"""Subjects whose ward changes when a patient is moved."""
UNLISTED: Final = frozenset({"alert", "account", "pairing"})
"""Subjects that a fact about a patient does not name: found among the open regions only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One kind of live region. `subject` says whose id follows the name in the DOM id: `tile-<bed uuid>`.

    `load` reads the values of many at once. `every_s`: drawn again by the clock, besides its topics.
    `permission`: what its reader must hold, besides having the subject in their scope (`may_show`).
    """

    name: str
    subject: Subject
    template: str
    variable: str
    url: str
    load: Load
    every_s: float
    permission: Permission = Permission.SEE_WARD
    shows: Callable[[Any], list[UUID]] | None = None
    """The patients in a view of a person's own region: a first look at it is noted in the audit under its name."""

    def dom_id(self, subject_id: UUID) -> str:
        """The id of the region's element."""
        return f"{self.name}-{subject_id}"

    def draw(self, view: object, *, audience: Audience, now: datetime) -> str:
        """The region's element: what the page includes, the URL returns and the socket sends."""
        return render(self.template, audience, now=now, **{self.variable: view})


ALL: Final[dict[str, Region]] = {
    region.name: region
    for region in (
        Region(
            name="tile",
            subject="bed",
            template="regions/_tile.html",
            variable="tile",
            url="/beds/<uuid:subject_id>/tile",
            load=queries.tiles,
            every_s=15,
        ),
        Region(
            name="trend",
            subject="bed",
            template="regions/_trend.html",
            variable="trend",
            url="/beds/<uuid:subject_id>/trend",
            load=queries.trends,
            every_s=60,
        ),
        Region(
            name="counts",
            subject="ward",
            template="regions/_counts.html",
            variable="counts",
            url="/wards/<uuid:subject_id>/counts",
            load=queries.counts,
            every_s=15,
        ),
        Region(
            name="alarm-bar",
            subject="ward",
            template="regions/_alarm_bar.html",
            variable="alarm_bar",
            url="/wards/<uuid:subject_id>/alarm-bar",
            load=queries.alarm_bars,
            every_s=15,
        ),
        Region(
            name="board",
            subject="ward",
            template="regions/_board.html",
            variable="board",
            url="/wards/<uuid:subject_id>/board",
            load=queries.boards,
            every_s=60,
        ),
        Region(
            name="alarm-strip",
            subject="patient",
            template="regions/_alarm_strip.html",
            variable="alarm_strip",
            url="/patients/<uuid:subject_id>/alarm-strip",
            load=present.strips,
            every_s=15,
            permission=Permission.SEE_PATIENT,
        ),
        Region(
            name="latest",
            subject="patient",
            template="regions/_latest.html",
            variable="latest",
            url="/patients/<uuid:subject_id>/latest",
            load=present.latest,
            every_s=15,
            permission=Permission.SEE_PATIENT,
        ),
        Region(
            name="news2",
            subject="patient",
            template="regions/_news2.html",
            variable="news2",
            url="/patients/<uuid:subject_id>/news2",
            load=news_card.news_cards,
            every_s=15,
            permission=Permission.SEE_PATIENT,
        ),
        Region(
            name="timeline",
            subject="patient",
            template="regions/_timeline.html",
            variable="timeline",
            url="/patients/<uuid:subject_id>/timeline",
            load=timeline.timelines,
            every_s=60,
            permission=Permission.SEE_PATIENT,
        ),
        Region(
            name="shift",
            subject="account",
            template="regions/_shift.html",
            variable="shift",
            url="/accounts/<uuid:subject_id>/shift",
            load=rounds.shifts,
            every_s=15,
            permission=Permission.KEEP_ROUNDS,
            shows=lambda shift: [row.tile.patient.id for row in shift.rows if row.tile.patient],
        ),
        Region(
            name="rounds",
            subject="account",
            template="regions/_rounds.html",
            variable="rounds",
            url="/accounts/<uuid:subject_id>/rounds",
            load=rounds.rounds,
            every_s=30,
            permission=Permission.KEEP_ROUNDS,
            shows=lambda view: [item.tile.patient.id for item in view.items if item.tile.patient],
        ),
        Region(
            name="ward-rounds",
            subject="ward",
            template="regions/_rounds.html",
            variable="rounds",
            url="/wards/<uuid:subject_id>/rounds",
            load=rounds.ward_rounds,
            every_s=30,
            permission=Permission.KEEP_ROUNDS,
        ),
        Region(
            name="wards",
            subject="account",
            template="regions/_wards.html",
            variable="overview",
            url="/accounts/<uuid:subject_id>/wards",
            load=overview.overviews,
            every_s=15,
            permission=Permission.COMPARE_WARDS,
        ),
        Region(
            name="alarm-list",
            subject="ward",
            template="regions/_alarm_list.html",
            variable="alarm_list",
            url="/wards/<uuid:subject_id>/alarm-list",
            load=inbox_queries.alarm_lists,
            every_s=15,
            permission=Permission.TAKE_ALARMS,
        ),
        Region(
            name="my-alarms",
            subject="account",
            template="regions/_my_alarms.html",
            variable="my_alarms",
            url="/accounts/<uuid:subject_id>/alarms",
            load=inbox_queries.own_lists,
            every_s=15,
            permission=Permission.TAKE_ALARMS,
            shows=lambda view: view.patient_ids,
        ),
        Region(
            name="alarm-detail",
            subject="alert",
            template="regions/_alarm_detail.html",
            variable="alarm_detail",
            url="/alerts/<uuid:subject_id>/detail",
            load=panes.details,
            every_s=15,
            permission=Permission.TAKE_ALARMS,
        ),
        Region(
            name="alarm-badge",
            subject="account",
            template="regions/_alarm_badge.html",
            variable="alarm_badge",
            url="/accounts/<uuid:subject_id>/alarm-badge",
            load=inbox_queries.untaken,
            every_s=15,
            permission=Permission.TAKE_ALARMS,
        ),
        Region(
            name="staff-bar",
            subject="account",
            template="regions/_staff_bar.html",
            variable="staff_bar",
            url="/accounts/<uuid:subject_id>/staff-bar",
            load=inbox_queries.untaken,
            every_s=15,
            permission=Permission.TAKE_ALARMS,
        ),
        Region(
            name="pairing",
            subject="pairing",
            template="regions/_pairing.html",
            variable="pairing",
            url="/pairings/<uuid:subject_id>/panel",
            load=pairing_panel.panels,
            # No fact tells of the first reading: nothing of the way of readings waits for a panel.
            every_s=2,
            permission=Permission.KEEP_DEVICES,
        ),
    )
}

Key = tuple[str, UUID]
"""A region's name and its subject's id."""


def parse(dom_id: str) -> Key | None:
    """The key of a DOM id such as `tile-<uuid>`; None when there is no such region."""
    name, subject = dom_id[:-37], dom_id[-36:]
    if name not in ALL or dom_id[-37:-36] != "-":
        return None
    try:
        return name, UUID(subject)
    except ValueError:
        return None


class Where(NamedTuple):
    """Whom a region is about. What does not apply, or is not known of it, is None."""

    ward_id: UUID | None = None
    patient_id: UUID | None = None
    account_id: UUID | None = None
    devices_of: UUID | None = None
    """The ward whose device it is: nothing of the ward's patients."""


def places_of(session: Session, keys: Iterable[Key], *, now: datetime) -> dict[Key, Where]:
    """Whom each of these regions is about; those of subjects that do not exist are left out."""
    by_subject: dict[Subject, list[Key]] = {}
    for key in keys:
        by_subject.setdefault(ALL[key[0]].subject, []).append(key)
    found: dict[Key, Where] = {}
    for subject, wanted in by_subject.items():
        places = _places(session, subject, [subject_id for _, subject_id in wanted], now=now)
        found.update({key: places[key[1]] for key in wanted if key[1] in places})
    return found


def _places(session: Session, subject: Subject, ids: list[UUID], *, now: datetime) -> dict[UUID, Where]:
    match subject:
        case "bed":
            return {bed: Where(ward_id=ward) for bed, ward in wards_of_beds(session, ids).items()}
        case "ward":
            return {ward_id: Where(ward_id=ward_id) for ward_id in ids}
        case "account":
            return {account_id: Where(account_id=account_id) for account_id in ids}
        case "patient":
            rows = queries.whereabouts(session, ids, now=now)
            return {patient: Where(ward, patient) for patient, ward in rows.items()}
        case "alert":
            alerts = queries.whereabouts_of_alerts(session, ids, now=now)
            return {alert: Where(ward, patient) for alert, (ward, patient) in alerts.items()}
        case "pairing":
            wards = pairing_panel.wards_of(session, ids)
            return {pairing: Where(devices_of=ward) for pairing, ward in wards.items()}


def may_show(actor: Actor, key: Key, where: Where) -> bool:
    """May this region be on the actor's screen?"""
    region = ALL[key[0]]
    if not actor.may(region.permission):
        return False
    if region.subject == "pairing":
        return may_keep_devices(actor, where.devices_of)
    if region.subject == "account":
        return where.account_id == actor.account_id
    if where.patient_id is not None:
        return may_see_patient(actor, where.patient_id, ward_id=where.ward_id)
    # An alert of no patient and no ward is about the system: whoever may see wards may know.
    return where.ward_id is None or may_see_ward(actor, where.ward_id)
