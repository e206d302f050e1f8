"""The ward board: `/ward`, `/ward/<slug>` and the wall view."""

from flask import Blueprint, Response, abort, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.access import Permission, Role
from silverwatch.domain.alerts import queries
from silverwatch.domain.alerts.board import Board
from silverwatch.domain.alerts.tiles import by_acuity
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.wards.queries import ward_by_slug, wards_of
from silverwatch.web import auditing, gates, login, pages

SORTS = ("bed", "acuity")


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/ward", view_func=own_ward)
    blueprint.add_url_rule("/ward/<slug>", view_func=ward)
    blueprint.add_url_rule("/ward/<slug>/wall", view_func=wall)


# A board that is left alone reads itself again, without JavaScript every 10 s: opening one is no sign of life.
@gates.need(Permission.SEE_WARD, passive=True)
def own_ward() -> Response:
    """The caregiver's own ward."""
    _refuse_displays()
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, login.actor())
    if not wards:
        raise NotFoundError("You belong to no ward yet.")
    return make_response(redirect(f"/ward/{wards[0].slug}", 303))


@gates.need(Permission.SEE_WARD, passive=True)
def ward(slug: str) -> Response:
    """Who needs me now?"""
    _refuse_displays()
    sort = request.args.get("sort", "bed")
    return _board(slug, sort=sort if sort in SORTS else "bed", wall=False)


@gates.need(Permission.SEE_WARD, passive=True)
def wall(slug: str) -> Response:
    """The same from five metres."""
    return _board(slug, sort="bed", wall=True)


def _refuse_displays() -> None:
    """A wall screen has its wall view and nothing else."""
    if login.actor().role is Role.DISPLAY:
        auditing.refused("role")
        abort(403)


def _board(slug: str, *, sort: str, wall: bool) -> Response:
    found, now = login.session_of_view(), clock.now()
    actor = found.actor
    with db.transaction(read_only=True) as session:
        ward_id = ward_by_slug(session, actor, slug).id
        board = queries.boards(session, [ward_id], now)[ward_id]
    shown = [tile.patient.id for tile in board.tiles if tile.patient is not None]
    auditing.viewed(queries.WARD_VIEW, patient_ids=shown, ward_id=ward_id)
    return pages.answer(
        "caregiver/wall.html" if wall else "caregiver/ward.html",
        board.ward.name,
        audience=pages.audience(found, wall=wall),
        live_url=pages.live_address(_regions(board), wall=wall),
        board=by_acuity(board) if sort == "acuity" else board,
        sort=sort,
        now=now,
    )


def _regions(board: Board) -> list[str]:
    ward_id = board.ward.id
    beds = [f"{name}-{tile.bed_id}" for tile in board.tiles for name in ("tile", "trend")]
    return [f"alarm-bar-{ward_id}", f"counts-{ward_id}", *beds]
