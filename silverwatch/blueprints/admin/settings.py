"""Settings of the site: security, and the ways to what else an administrator keeps."""

from dataclasses import asdict
from typing import Final

from flask import Blueprint, Response, request

from silverwatch import clock, db
from silverwatch.blueprints.admin import forms
from silverwatch.domain import audit
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import directory
from silverwatch.domain.settings import service
from silverwatch.domain.settings.service import IDLE_MINUTES, SECURITY, Security
from silverwatch.web import fields, gates, login, pages

URL: Final = "/admin/settings/security"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/admin/settings", view_func=settings)
    blueprint.add_url_rule(URL, view_func=security_form)
    blueprint.add_url_rule(URL, view_func=set_security, methods=["POST"])


@gates.need(Permission.CHANGE_SETTINGS)
def settings() -> Response:
    """What is set, by whom?"""
    with db.transaction(read_only=True) as session:
        present = service.security(session)
        change = directory.last_change(session, SECURITY)
    return pages.answer(
        "admin/settings.html",
        "Settings",
        present=present,
        change=change,
        done=request.args.get("done") == "security",
        now=clock.now(),
    )


@gates.need(Permission.CHANGE_SETTINGS, step_up=True)
def security_form() -> Response:
    """How sign-ins are protected."""
    return _page()


@gates.need(Permission.CHANGE_SETTINGS, step_up=True)
def set_security() -> Response:
    """Change it; what loosens a protection is shown once more first."""
    sent, errors = request.form, {}
    minutes = fields.whole(sent.get("idle_minutes"), most=IDLE_MINUTES[-1])
    if minutes is None or minutes not in IDLE_MINUTES:
        errors["idle_minutes"] = f"Enter a whole number of {IDLE_MINUTES[0]} to {IDLE_MINUTES[-1]} minutes."
    choice = sent.get("require_second_factor")
    if choice not in {"yes", "no"}:
        errors["require_second_factor"] = "Choose one of the two."
    if errors or minutes is None:
        written = {"require_second_factor": choice, "idle_minutes": sent.get("idle_minutes", "")[:10]}
        return _page(written=written, errors=errors, status=422)
    wanted = Security(require_second_factor=choice == "yes", idle_minutes=minutes)
    by, now = login.actor().account_id, clock.now()
    with db.transaction() as session:
        present = service.security(session)
        asked = sent.get("confirmed") == "yes"
        if asked or not _loosens(present, wanted):
            if wanted != present:
                service.set_security(session, wanted, by=by, now=now)
                detail = {"group": SECURITY, "from": asdict(present), "to": asdict(wanted)}
                audit.record(session, "settings.changed", detail=detail)
            return forms.see("/admin/settings?done=security")
    return _page(wanted=wanted)


def _loosens(present: Security, wanted: Security) -> bool:
    """Is anything less protected afterwards?"""
    without = present.require_second_factor and not wanted.require_second_factor
    return without or wanted.idle_minutes > present.idle_minutes


def _page(
    *,
    wanted: Security | None = None,
    written: dict[str, str | None] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The form; with `wanted`, what it would loosen."""
    with db.transaction(read_only=True) as session:
        present = service.security(session)
        change = directory.last_change(session, SECURITY)
        waiting = directory.staff_without_factor(session)
    title = "Security"
    return pages.answer(
        "admin/security.html",
        f"Error: {title}" if errors else title,
        status=status,
        present=present,
        wanted=wanted,
        written=written
        or {
            "require_second_factor": "yes" if present.require_second_factor else "no",
            "idle_minutes": str(present.idle_minutes),
        },
        errors=errors or {},
        change=change,
        without_factor=waiting,
        most=IDLE_MINUTES[-1],
    )
