"""A caregiver's shift: my patients, the round, and which beds are mine."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import queries, rounds
from silverwatch.domain.alerts.board import Tile
from silverwatch.domain.alerts.round_views import Rounds
from silverwatch.domain.wards import allocation
from silverwatch.domain.wards.allocation import Holder
from silverwatch.domain.wards.queries import ward_by_slug, wards_of
from silverwatch.web import auditing, fields, gates, login, pages

BEDS: Final = "/shift/beds"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/shift", view_func=my_shift)
    blueprint.add_url_rule(BEDS, view_func=my_beds)
    blueprint.add_url_rule(BEDS, view_func=take_beds, methods=["POST"])
    blueprint.add_url_rule("/rounds", view_func=my_rounds)
    blueprint.add_url_rule("/rounds/<slug>", view_func=rounds_of_ward)


# Like a board these read themselves again, also without JavaScript: opening one is no sign of life.
@gates.need(Permission.KEEP_ROUNDS, passive=True)
def my_shift() -> Response:
    """Who is mine, and whom do I go to first?"""
    found, now = login.session_of_view(), clock.now()
    account_id = found.actor.account_id
    with db.transaction(read_only=True) as session:
        shift = rounds.shifts(session, [account_id], now)[account_id]
        bars = queries.alarm_bars(session, [ward.id for ward in shift.wards], now)
    auditing.viewed("shift", patient_ids=[row.tile.patient.id for row in shift.rows if row.tile.patient])
    return pages.answer(
        "caregiver/shift.html",
        "My patients",
        live_url=pages.live_address([f"shift-{account_id}", *(f"alarm-bar-{ward_id}" for ward_id in bars)]),
        shift=shift,
        bars=[bars[ward.id] for ward in shift.wards],
        now=now,
    )


@gates.need(Permission.KEEP_ROUNDS, passive=True)
def my_rounds() -> Response:
    """What is due for my patients, and when?"""
    found, now = login.session_of_view(), clock.now()
    account_id = found.actor.account_id
    with db.transaction(read_only=True) as session:
        view = rounds.rounds(session, [account_id], now)[account_id]
    return _rounds(view, "My round", slug=None)


@gates.need(Permission.KEEP_ROUNDS, passive=True)
def rounds_of_ward(slug: str) -> Response:
    """What is due in the whole ward?"""
    with db.transaction(read_only=True) as session:
        ward = ward_by_slug(session, login.actor(), slug)
        view = rounds.ward_rounds(session, [ward.id], clock.now())[ward.id]
    return _rounds(view, "Round of the ward", slug=slug)


def _rounds(view: Rounds, title: str, *, slug: str | None) -> Response:
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, actor)
        bars = queries.alarm_bars(session, [ward.id for ward in wards], now)
    shown = [item.tile.patient.id for item in view.items if item.tile.patient is not None]
    auditing.viewed("rounds", patient_ids=shown, ward_id=view.subject_id if slug else None)
    regions = [f"{view.region}-{view.subject_id}", *(f"alarm-bar-{ward_id}" for ward_id in bars)]
    return pages.answer(
        "caregiver/rounds.html",
        title,
        live_url=pages.live_address(regions),
        rounds=view,
        wards=wards,
        slug=slug,
        bars=[bars[ward.id] for ward in wards],
        now=now,
    )


@gates.need(Permission.KEEP_ROUNDS)
def my_beds() -> Response:
    """Which beds are mine, and whose are the others?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, actor)
        tiles = queries.tiles_of_wards(session, [ward.id for ward in wards], now)
        beds = [tile for found in tiles.values() for tile in found]
        holders = allocation.holders(session, [tile.bed_id for tile in beds], now=now)
    auditing.viewed("beds", patient_ids=[tile.patient.id for tile in beds if tile.patient is not None])
    return pages.answer(
        "caregiver/beds.html",
        "Beds of this shift",
        wards=wards,
        tiles=tiles,
        holders=holders,
        held={ward_id: _held(found, holders) for ward_id, found in tiles.items()},
        account_id=actor.account_id,
        now=now,
    )


@gates.need(Permission.KEEP_ROUNDS)
def take_beds() -> Response:
    """Take beds, or give them back."""
    actor, now, sent = login.actor(), clock.now(), request.form
    take, give = fields.identities(sent, "take"), fields.identities(sent, "give")
    with db.transaction() as session:
        allocation.take(session, actor, take, now=now, seen=_seen(sent, take))
        allocation.give_back(session, actor, give, now=now)
    return make_response(redirect(pages.local_path(sent.get("next")) or BEDS, 303))


def _held(tiles: Iterable[Tile], holders: Mapping[UUID, Holder]) -> dict[UUID, list[Tile]]:
    """Account id to the beds of a ward that this person has taken."""
    found: dict[UUID, list[Tile]] = {}
    for tile in tiles:
        if tile.bed_id in holders:
            found.setdefault(holders[tile.bed_id].account_id, []).append(tile)
    return found


def _seen(sent: fields.Sent, take: list[UUID]) -> list[UUID]:
    """The beds that the form showed as a colleague's."""
    return [bed_id for bed_id in fields.identities(sent, "seen") if bed_id in take]
