"""The fleet: which devices there are and how they do, worst first. `/devices`, and the same as a file."""

from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import fleet, fleet_live
from silverwatch.domain.alerts.device_state import DeviceState
from silverwatch.domain.alerts.fleet import FleetRow, Wanted
from silverwatch.domain.alerts.fleet_live import CountsView
from silverwatch.web import gates, login, pages, spreadsheet

URL: Final = "/devices"
MOST_IN_FILE: Final = 20_000
FILE_HEAD: Final = (
    "serial", "state", "type", "ward", "bed", "location", "battery_percent", "signal_dbm", "last_data_utc",
    "firmware", "interval_s", "sensitivity", "sample_rate_hz", "clock_ahead_s",
)  # fmt: skip
STATES: Final = ("free", *(state.value for state in DeviceState))


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=devices)
    blueprint.add_url_rule(f"{URL}.csv", view_func=devices_file)


@gates.need(Permission.SEE_DEVICES)
def devices() -> Response:
    """What is broken?"""
    actor, now, chosen = login.actor(), clock.now(), wanted()
    is_live = not chosen.is_narrowed and chosen.page == 1
    with db.transaction(read_only=True) as session:
        found = fleet_live.view(session, actor, chosen, now=now)
    regions = [f"fleet-counts-{actor.account_id}"] + ([f"fleet-{actor.account_id}"] if is_live else [])
    return pages.answer(
        "technician/home.html",
        "Devices",
        live_url=pages.live_address(regions),
        fleet=found,
        fleet_counts=CountsView(account_id=actor.account_id, counts=found.fleet.counts),
        is_live=is_live,
        wanted=chosen,
        query=urlencode(asked(chosen)),
        added=request.args.get("added", "")[:6] if request.args.get("added", "").isdecimal() else "",
        now=now,
    )


@gates.need(Permission.SEE_DEVICES)
def devices_file() -> Response:
    """The same devices as a file for a spreadsheet."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        found = fleet.fleet(session, login.actor(), wanted(), now=now, most=MOST_IN_FILE)
    return spreadsheet.file(f"devices-{now:%Y-%m-%d}.csv", [FILE_HEAD, *map(_cells, found.rows)])


def wanted() -> Wanted:
    """Which devices the address asks for; what it does not know is as if it were not there."""
    sent = request.args
    state, page = sent.get("state", ""), sent.get("page", "")
    return Wanted(
        text=sent.get("q", "").replace("\0", "")[: fleet.MAX_SEARCH].strip(),
        state=state if state in STATES else "",
        kind=sent.get("type", "")[: fleet.MAX_SEARCH],
        firmware=sent.get("firmware", "")[: fleet.MAX_SEARCH],
        page=int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )


def asked(chosen: Wanted) -> list[tuple[str, str]]:
    """What narrows the list, for another address."""
    every = (
        ("q", chosen.text),
        ("state", chosen.state),
        ("type", chosen.kind),
        ("firmware", chosen.firmware),
    )
    return [(name, value) for name, value in every if value]


def _cells(row: FleetRow) -> tuple[object, ...]:
    bed = f"{row.bed_ward} {row.bed}" if row.bed else None
    return (
        row.serial, row.state.value, row.kind, row.ward, bed, row.location, row.battery, row.signal_dbm,
        row.heard_at.isoformat(timespec="seconds") if row.heard_at else None, row.firmware, row.interval_s,
        row.sensitivity, row.sample_rate_hz, None if row.skew_s is None else round(row.skew_s, 1),
    )  # fmt: skip
