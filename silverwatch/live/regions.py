"""The live regions: each is a topic, a permission, a query, a partial and a URL, listed once.

A region is a GET that pushes itself: the page includes its partial, its URL returns it, the socket sends it,
all drawn from the same values by the same template.
"""

from typing import Final
from uuid import UUID

from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import (
    fleet_live,
    inbox_queries,
    news_card,
    overview,
    present,
    queries,
    rounds,
    timeline,
)
from silverwatch.domain.notices import own, panes
from silverwatch.domain.readings import pairing_panel
from silverwatch.live.region import Region

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
            name="notice-badge",
            subject="account",
            template="regions/_notice_badge.html",
            variable="notice_badge",
            url="/accounts/<uuid:subject_id>/notice-badge",
            load=own.unseen,
            every_s=15,
            permission=Permission.TAKE_ALARMS,
        ),
        Region(
            name="notices",
            subject="account",
            template="regions/_notices.html",
            variable="notices",
            url="/accounts/<uuid:subject_id>/notices",
            load=own.newest,
            every_s=15,
            permission=Permission.TAKE_ALARMS,
        ),
        Region(
            name="staff-bar",
            subject="account",
            template="regions/_staff_bar.html",
            variable="staff_bar",
            url="/accounts/<uuid:subject_id>/staff-bar",
            load=inbox_queries.standing,
            every_s=15,
            permission=Permission.SEE_SYSTEM,
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
        Region(
            name="fleet-counts",
            subject="account",
            template="regions/_fleet_counts.html",
            variable="fleet_counts",
            url="/accounts/<uuid:subject_id>/fleet-counts",
            load=fleet_live.counts,
            every_s=10,
            permission=Permission.SEE_DEVICES,
        ),
        Region(
            name="fleet",
            subject="account",
            template="regions/_fleet.html",
            variable="fleet",
            url="/accounts/<uuid:subject_id>/fleet",
            load=fleet_live.fleets,
            every_s=10,
            permission=Permission.SEE_DEVICES,
        ),
        Region(
            name="faults",
            subject="account",
            template="regions/_faults.html",
            variable="faults",
            url="/accounts/<uuid:subject_id>/faults",
            load=fleet_live.fault_views,
            every_s=15,
            permission=Permission.TAKE_FAULTS,
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
