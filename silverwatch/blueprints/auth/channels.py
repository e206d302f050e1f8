"""Where I can be told about alarms, and when not: `/profile/channels`."""

import base64
from dataclasses import dataclass
from datetime import time
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, current_app, make_response, redirect, request

from silverwatch import clock, db, keys
from silverwatch.adapters import outbound
from silverwatch.adapters.notify import NotTakenError, rules_for
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError
from silverwatch.domain.notices import addresses, gateways, trials
from silverwatch.domain.notices.addresses import ToVerify
from silverwatch.domain.notices.gateways import Gateways
from silverwatch.web import gates, login, outgoing, pages, trying

URL: Final = "/profile/channels"
MAX_ADDRESS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The secret of a new webhook, shown this once."""

    address: str
    secret: str


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    one = f"{URL}/<uuid:address_id>"
    blueprint.add_url_rule(URL, view_func=own_channels)
    blueprint.add_url_rule(URL, view_func=add_channel, methods=["POST"])
    blueprint.add_url_rule(f"{one}/verification", view_func=verify_channel, methods=["POST"])
    blueprint.add_url_rule(f"{one}/code", view_func=new_channel_code, methods=["POST"])
    blueprint.add_url_rule(f"{one}/removal", view_func=remove_channel, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/test", view_func=test_channel, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/quiet", view_func=set_quiet, methods=["POST"])


@gates.need(Permission.TAKE_ALARMS)
def own_channels() -> Response:
    """Where am I told?"""
    return _page()


@gates.need(Permission.TAKE_ALARMS)
def add_channel() -> Response:
    """Keep an address and send a code there."""
    channel = request.form.get("channel", "")
    address = addresses.plain(channel, request.form.get("address", "")[:MAX_ADDRESS])
    with db.transaction(read_only=True) as session:
        site = gateways.gateways(session, keys=_keys())
    wrong = addresses.problem(channel, address, channels=site.channels) or _webhook(channel, address, site)
    if wrong:
        return _page({"channel" if "channel" in wrong else "address": wrong}, sent=(channel, address))
    try:
        with db.transaction() as session:
            new = addresses.add(
                session, _me(), channel=channel, address=address, keys=_keys(), now=clock.now()
            )
    except ConflictError as error:
        return _page({"address": str(error)}, sent=(channel, address))
    return _send(new)


@gates.need(Permission.TAKE_ALARMS)
def new_channel_code(address_id: UUID) -> Response:
    """Send another code."""
    try:
        with db.transaction() as session:
            new = addresses.again(session, _me(), address_id, keys=_keys(), now=clock.now())
    except ConflictError as error:
        return _page({"form": str(error)})
    return _send(new)


@gates.need(Permission.TAKE_ALARMS)
def verify_channel(address_id: UUID) -> Response:
    """The code came back."""
    with db.transaction() as session:
        fits = addresses.verify(
            session, _me(), address_id, code=request.form.get("code", "")[:20], keys=_keys(), now=clock.now()
        )
    if not fits:
        name = f"code-{address_id}"
        return _page({name: "This is not the code, or it is too old. Try again, or ask for another one."})
    return _saved("verified")


@gates.need(Permission.TAKE_ALARMS)
def remove_channel(address_id: UUID) -> Response:
    """Use it no more."""
    with db.transaction() as session:
        addresses.remove(session, _me(), address_id, now=clock.now())
    return _saved("removed")


@gates.need(Permission.TAKE_ALARMS)
def test_channel() -> Response:
    """Send a test to one of my addresses, or to the e-mail address of my account."""
    wanted = request.form.get("address_id", "")
    try:
        with db.transaction() as session:
            address = trials.own_address(session, _me(), _uuid(wanted)) if wanted else None
            asked = trials.ask(
                session,
                _me(),
                channel=address.channel if address else "email",
                address_id=address.id if address else None,
                now=clock.now(),
            )
    except ConflictError as error:
        return _page({"form": str(error)})
    trying.wait_for(asked)
    return make_response(redirect(f"{URL}#trials", 303))


@gates.need(Permission.TAKE_ALARMS)
def set_quiet() -> Response:
    """When what is not high does not disturb me."""
    begin, end = request.form.get("quiet_from", "").strip(), request.form.get("quiet_until", "").strip()
    try:
        hours = (time.fromisoformat(begin), time.fromisoformat(end)) if begin or end else None
        if hours and (hours[0].tzinfo or hours[1].tzinfo):
            raise ValueError
    except ValueError:
        return _page({"quiet_from": "Enter both times, such as 22:00 and 07:00, or leave both empty."})
    try:
        with db.transaction() as session:
            addresses.set_quiet_hours(session, _me(), hours=hours, now=clock.now())
    except DomainError as error:
        return _page({"quiet_from": str(error)})
    return _saved("quiet")


def _me() -> UUID:
    return login.actor().account_id


def _uuid(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        raise NotFoundError("There is no such address.") from None


def _keys() -> list[bytes]:
    return list(keys.of(current_app.extensions["config"], gateways.GROUP))


def _webhook(channel: str, address: str, site: Gateways) -> str | None:
    if channel != "webhook":
        return None
    try:
        outbound.check(address, rules=rules_for(site.webhook_hosts))
    except outbound.OutboundError as error:
        return str(error)
    return None


def _send(new: ToVerify) -> Response:
    """Send the code; when the gateway does not take it, say so: nothing would come."""
    try:
        outgoing.send_code(new, language=login.session_of_view().language)
    except NotTakenError as error:
        with db.transaction() as session:
            audit.record(session, "address.code_failed", outcome="failed", detail={"channel": new.channel})
        return _page({"form": f"The code could not be sent: {error}"})
    if new.secret is None:
        return _saved("code")
    shown = "whsec_" + base64.b64encode(new.secret).decode()
    return _page(made=Made(address=new.address, secret=shown), status=200)


def _saved(what: str) -> Response:
    return make_response(redirect(f"{URL}?saved={what}", 303))


def _page(
    errors: dict[str, str] | None = None,
    *,
    sent: tuple[str, str] = ("", ""),
    made: Made | None = None,
    status: int = 422,
) -> Response:
    with db.transaction(read_only=True) as session:
        kept = addresses.addresses_of(session, _me())
        quiet = addresses.quiet_hours(session, _me())
        site = gateways.gateways(session, keys=_keys())
        tried = trials.last(session, _me(), now=clock.now())
    saved = request.args.get("saved", "")
    return pages.answer(
        "auth/channels.html",
        "Error: My channels" if errors else "My channels",
        status=status if errors else 200,
        errors=errors or {},
        kept=kept,
        trials=tried,
        quiet=quiet,
        channels=site.channels,
        push_url=site.push_url,
        sent=sent,
        made=made,
        is_full=len(kept) >= addresses.MOST,
        saved=saved if saved in {"code", "verified", "removed", "quiet"} else "",
    )
