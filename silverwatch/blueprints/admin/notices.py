"""Over whom SMS, pushes and webhooks go out: `/admin/settings/notices`."""

import re
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app, request

from silverwatch import clock, db, keys
from silverwatch.adapters import outbound
from silverwatch.adapters.notify import rules_for
from silverwatch.blueprints.admin import forms
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.errors import ConflictError
from silverwatch.domain.notices import addresses, gateways, queries, trials, way_queries
from silverwatch.domain.notices.gateways import SMS_KINDS, Gateways
from silverwatch.web import fields, gates, login, pages, trying

URL: Final = "/admin/settings/notices"
MAX_TEXT: Final = 200
MAX_ADDRESS: Final = 500
MOST_HOSTS: Final = 20
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?")


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=notices_form)
    blueprint.add_url_rule(URL, view_func=set_notices, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/test", view_func=test_notices, methods=["POST"])


@gates.need(Permission.CHANGE_SETTINGS, step_up=True)
def notices_form() -> Response:
    """The gateways as they are."""
    return _page(_present(), {})


@gates.need(Permission.CHANGE_SETTINGS, step_up=True)
def set_notices() -> Response:
    """Change them. A secret that is left empty stays as it is."""
    present, sent = _present(), request.form
    wanted, errors = _read(sent, present)
    if errors:
        return _page(wanted, errors)
    by, now = login.actor().account_id, clock.now()
    with db.transaction() as session:
        gateways.set_gateways(session, wanted, keys=_keys(), by=by, now=now)
        changed = [name for name in ("sms_kind", "sms_user", "sms_secret", "sms_sender", "sms_url", "push_url",
                                     "push_token", "webhook_hosts", "drill_hour")
                   if getattr(wanted, name) != getattr(present, name)]  # fmt: skip
        audit.record(session, "settings.changed", detail={"group": gateways.GROUP, "changed": changed})
    return forms.see(f"{URL}?saved=1")


@gates.need(Permission.CHANGE_SETTINGS, step_up=True)
def test_notices() -> Response:
    """Send a test over one of the gateways, to an address that is used for nothing else."""
    present, me, now = _present(), login.actor().account_id, clock.now()
    channel = request.form.get("channel", "")
    address = addresses.plain(channel, request.form.get("address", "")[:MAX_ADDRESS])
    wrong = addresses.problem(channel, address, channels=present.channels) or _webhook(
        channel, address, present
    )
    if wrong:
        return _page(present, {"address": wrong}, sent=(channel, address))
    try:
        with db.transaction() as session:
            row = addresses.once(session, me, channel=channel, address=address, keys=_keys(), now=now)
            asked = trials.ask(session, me, channel=channel, address_id=row.id, now=now)
    except ConflictError as error:
        return _page(present, {"address": str(error)}, sent=(channel, address))
    trying.wait_for(asked)
    return forms.see(f"{URL}#trials")


def _webhook(channel: str, address: str, present: Gateways) -> str | None:
    if channel != "webhook":
        return None
    try:
        outbound.check(address, rules=rules_for(present.webhook_hosts))
    except outbound.OutboundError as error:
        return str(error)
    return None


def _read(sent: forms.Sent, present: Gateways) -> tuple[Gateways, dict[str, str]]:
    errors: dict[str, str] = {}
    values = {
        name: fields.line(sent, name, most=MAX_TEXT)
        for name in ("sms_kind", "sms_user", "sms_sender", "sms_url", "push_url")
    }
    for name in ("sms_url", "push_url"):
        if problem := _url_problem(values[name]):
            errors[name] = problem
    if values["sms_kind"] not in {"", *SMS_KINDS}:
        errors["sms_kind"] = "Choose a company from the list."
    secret = fields.line(sent, "sms_secret", most=MAX_TEXT) or present.sms_secret
    if values["sms_kind"] in SMS_KINDS:
        if not values["sms_user"]:
            errors["sms_user"] = "Enter the name of your account there."
        if not secret:
            errors["sms_secret"] = "Enter the key of your account there."
    hosts = tuple(dict.fromkeys(sent.get("webhook_hosts", "").lower().replace(",", " ").split()))
    if len(hosts) > MOST_HOSTS or not all(_HOST.fullmatch(host) for host in hosts):
        errors["webhook_hosts"] = f"Enter at most {MOST_HOSTS} host names, such as hooks.hospital.example."
        hosts = hosts[:MOST_HOSTS]
    hour = fields.whole(sent.get("drill_hour"), most=23) if sent.get("drill_hour", "").strip() else None
    if sent.get("drill_hour", "").strip() and hour is None:
        errors["drill_hour"] = "Enter an hour from 0 to 23, or leave it empty."
    token = fields.line(sent, "push_token", most=MAX_TEXT) or (
        present.push_token if values["push_url"] else ""
    )
    wanted = replace(
        present,
        **values,
        sms_secret=secret if values["sms_kind"] else "",
        push_token=token,
        webhook_hosts=hosts,
        drill_hour=hour,
    )
    return wanted, errors


def _url_problem(url: str) -> str | None:
    if not url:
        return None
    try:
        outbound.check(url, rules=outbound.Rules(reach="site", ports=None))
    except outbound.OutboundError as error:
        return str(error)
    return None


def _keys() -> list[bytes]:
    return list(keys.of(current_app.extensions["config"], gateways.GROUP))


def _present() -> Gateways:
    with db.transaction(read_only=True) as session:
        return gateways.gateways(session, keys=_keys())


def _page(shown: Gateways, errors: dict[str, str], *, sent: tuple[str, str] = ("", "")) -> Response:
    with db.transaction(read_only=True) as session:
        failing = queries.failing(session, now=clock.now())
        ways = way_queries.ways(session, shown.channels)
        tried = trials.last(session, login.actor().account_id, now=clock.now())
    return pages.answer(
        "admin/notices.html",
        "Error: Notices" if errors else "Notices",
        status=422 if errors else 200,
        shown=shown,
        errors=errors,
        failing=failing,
        ways=ways,
        trials=tried,
        sent=sent,
        kinds=SMS_KINDS,
        saved=request.args.get("saved") == "1",
    )
