"""Chains of escalation: `/admin/chains`, and the editor of one."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain.access import Permission
from silverwatch.domain.alerts import chains
from silverwatch.domain.alerts.steps import CHANNELS, MOST_STEPS, PRIORITIES, Chain, Channel, Step
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.wards.models import Ward
from silverwatch.domain.wards.queries import wards_of
from silverwatch.domain.wards.shifts import DutyRole
from silverwatch.web import fields, gates, login, pages

URL: Final = "/admin/chains"
SITE: Final = "site"
LONGEST_MIN: Final = 24 * 60
SPARE: Final = 2
"""Empty rows below the steps: without JavaScript a row cannot be added."""


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=all_chains)
    blueprint.add_url_rule(f"{URL}/<slug>/<priority>", view_func=chain_form)
    blueprint.add_url_rule(f"{URL}/<slug>/<priority>", view_func=change_chain, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<slug>/<priority>/removal", view_func=remove_chain, methods=["POST"])


@gates.need(Permission.CHANGE_SETTINGS)
def all_chains() -> Response:
    """Who is told when nobody takes an alarm?"""
    actor = login.actor()
    with db.transaction(read_only=True) as session:
        wards = wards_of(session, actor)
        found = chains.chains_for(session, [ward.id for ward in wards])
        names = {account.id: account.name for account in chains.people_for(session, None)}
    return pages.answer(
        "admin/chains.html",
        "Chains of escalation",
        wards=wards,
        chains=found,
        priorities=PRIORITIES,
        names=names,
        saved=request.args.get("saved") == "1",
    )


@gates.need(Permission.CHANGE_SETTINGS)
def chain_form(slug: str, priority: str) -> Response:
    """The steps of one chain."""
    with db.transaction(read_only=True) as session:
        ward = _ward(session, slug, priority)
        chain = chains.chains_for(session, [ward.id if ward else None])[ward.id if ward else None, priority]
    return _page(ward, chain)


@gates.need(Permission.CHANGE_SETTINGS)
def change_chain(slug: str, priority: str) -> Response:
    """Check the answers, show them in words, then save them."""
    actor, now, sent = login.actor(), clock.now(), request.form
    with db.transaction(read_only=True) as session:
        ward = _ward(session, slug, priority)
        ward_id = ward.id if ward else None
        steps, errors = _steps(sent)
        minutes = fields.whole(sent.get("repeat"), most=LONGEST_MIN)
        errors = chains.check(session, ward_id, steps, (minutes or 0) * 60) | errors
    chain = Chain(
        priority=priority, ward_id=ward_id, steps=steps or (Step(after_s=0),), repeat_s=(minutes or 0) * 60
    )
    if errors:
        return _page(ward, chain, errors=errors, status=422)
    if sent.get("confirmed") != "yes":
        return _page(ward, chain, confirm=True)
    with db.transaction() as session:
        chains.change(
            session, actor, ward_id=ward_id, priority=priority, steps=steps, repeat_s=chain.repeat_s, now=now
        )
    return forms.see(f"{URL}?saved=1")


@gates.need(Permission.CHANGE_SETTINGS)
def remove_chain(slug: str, priority: str) -> Response:
    """Let the site's chain hold in this ward again."""
    with db.transaction() as session:
        ward = _ward(session, slug, priority)
        if ward is None:
            raise NotFoundError("There is no such chain.")
        chains.use_the_sites(session, login.actor(), ward_id=ward.id, priority=priority, now=clock.now())
    return forms.see(f"{URL}?saved=1")


def _ward(session: Session, slug: str, priority: str) -> Ward | None:
    """The ward of the chain, None for the site's; raises NotFoundError."""
    wards = {ward.slug: ward for ward in wards_of(session, login.actor())}
    if priority not in PRIORITIES or (slug != SITE and slug not in wards):
        raise NotFoundError("There is no such chain.")
    return wards.get(slug)


def _steps(sent: forms.Sent) -> tuple[tuple[Step, ...], dict[str, str]]:
    """The rows that were filled in: a row without a "who" is none."""
    steps: list[Step] = []
    errors: dict[str, str] = {}
    for row in range(MOST_STEPS + 1):
        who = sent.get(f"who_{row}", "")
        if not who:
            continue
        place = len(steps)
        seconds = _seconds(sent.get(f"after_{row}", ""))
        if seconds is None:
            errors[f"after_{place}"] = "Enter minutes, such as 2 or 0.5."
        account_id = fields.identity(who)
        if account_id is None and who not in set(DutyRole):
            errors[f"who_{place}"] = "Choose who is told from the list."
            continue
        channels: list[Channel] = [name for name in CHANNELS if name in sent.getlist(f"channels_{row}")]
        steps.append(
            Step(
                after_s=seconds or 0,
                role=None if account_id else DutyRole(who),
                account_id=account_id,
                channels=("web", *(name for name in channels if name != "web")),
            )
        )
    return tuple(steps), errors


def _seconds(written: str) -> int | None:
    """Seconds of minutes as somebody wrote them."""
    text = written.strip().replace(",", ".")
    whole, _, part = text.partition(".")
    if not (text.isascii() and whole.isdecimal() and len(whole) <= 4 and (part.isdecimal() or not part)):
        return None
    return round(float(f"{whole}.{part[:3] or 0}") * 60)


def _page(
    ward: Ward | None,
    chain: Chain,
    *,
    errors: dict[str, str] | None = None,
    confirm: bool = False,
    status: int = 200,
) -> Response:
    ward_id: UUID | None = ward.id if ward else None
    with db.transaction(read_only=True) as session:
        people = chains.people_for(session, ward_id)
        versions = chains.versions(session, ward_id, chain.priority)
        own = any(version.ended_at is None for version in versions)
        names = {account.id: account.name for account in chains.people_for(session, None)}
    title = "Chain of escalation"
    return pages.answer(
        "admin/chain.html",
        f"Error: {title}" if errors else title,
        status=status,
        ward=ward,
        slug=ward.slug if ward else SITE,
        chain=chain,
        rows=[*chain.steps, *([None] * min(SPARE, MOST_STEPS - len(chain.steps)))],
        errors=errors or {},
        confirm=confirm,
        people=people,
        names=names,
        roles=list(DutyRole),
        channels=CHANNELS,
        versions=versions,
        has_own=own and ward is not None,
    )
