"""Who has access: the list of accounts."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms, invite, user
from silverwatch.domain.access import PEOPLE, Permission
from silverwatch.domain.accounts import directory
from silverwatch.domain.accounts.directory import Found, State, Wanted
from silverwatch.domain.wards.models import Ward
from silverwatch.domain.wards.queries import all_wards
from silverwatch.web import fields, gates, login, pages
from silverwatch.web.hypermedia import html, wants_fragment
from silverwatch.web.templating import render

URL = "/admin/users"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRows:
    """A page of the list as it is shown; `before` and `after` are the addresses of its neighbours."""

    found: Found
    wanted: Wanted
    wards: dict[UUID, Ward] = field(default_factory=dict)
    before: str | None = None
    after: str | None = None
    now: datetime


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=users)
    invite.register(blueprint)
    user.register(blueprint)


@gates.need(Permission.MANAGE_USERS)
def users() -> Response:
    """Who has access?"""
    wanted = _wanted()
    with db.transaction(read_only=True) as session:
        wards = all_wards(session)
        found = directory.people(session, wanted)
    rows = UserRows(
        found=found,
        wanted=wanted,
        wards={ward.id: ward for ward in wards},
        before=_address(wanted, found.page - 1) if found.page > 1 else None,
        after=_address(wanted, found.page + 1) if found.page < found.pages else None,
        now=clock.now(),
    )
    if wants_fragment():
        reader = pages.audience(login.session_of_view())
        return html(render("admin/_user_rows.html", reader, user_rows=rows))
    return pages.answer(
        "admin/users.html", "Users", user_rows=rows, wards=wards, roles=PEOPLE, states=list(State)
    )


def _wanted() -> Wanted:
    """What the address asks for. Whatever is no filter narrows nothing."""
    sent = request.args
    state = sent.get("state")
    return Wanted(
        text=fields.line(sent, "q", most=directory.MAX_SEARCH)[: directory.MAX_SEARCH],
        role=forms.role(sent.get("role")),
        ward_id=fields.identity(sent.get("ward")),
        state=State(state) if state in set(State) else None,
        page=fields.whole(sent.get("page"), most=directory.MAX_PAGE) or 1,
    )


def _address(wanted: Wanted, page: int) -> str:
    query = {
        "q": wanted.text,
        "role": wanted.role or "",
        "ward": wanted.ward_id or "",
        "state": wanted.state or "",
        "page": page if page > 1 else "",
    }
    return f"{URL}?{urlencode({name: value for name, value in query.items() if value})}".rstrip("?")
