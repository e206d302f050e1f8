"""What every page needs to know of its reader, gathered from the request once."""

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request
from flask_wtf.csrf import generate_csrf

from silverwatch import clock, db
from silverwatch.clock import epoch_ms
from silverwatch.domain.access import STAFF, Permission, Role
from silverwatch.domain.accounts import emergency
from silverwatch.domain.accounts.profile import LANGUAGES
from silverwatch.domain.accounts.sessions import SignedIn
from silverwatch.domain.alerts import inbox_queries
from silverwatch.domain.alerts.board import AlarmBar
from silverwatch.domain.notices import own
from silverwatch.domain.notices.own import Unseen
from silverwatch.web import just_saved, login
from silverwatch.web.audience import NAMES, Audience, Names
from silverwatch.web.hypermedia import html, local_path
from silverwatch.web.templating import render, render_page
from silverwatch.web.views import STAFF_NAV, THEMES, EmergencyLine, ErrorView, Page, Theme

__all__ = ["local_path"]

DISPLAY_COOKIE: Final = "sw_display"
DISPLAY_DAYS: Final = 365
LANGUAGE: Final = "lang"
LANGUAGE_COOKIE: Final = "sw_language"
"""What a page that asks nobody to sign in takes in its address, and where it is kept."""
OWN_BARS: Final = ("alarm-bar", "alarm-list", "my-alarms")
"""Regions that show what nobody has taken: a page with one of them has no second bar."""


def display() -> tuple[Theme, Names]:
    """The reader's theme and how private names are, from their own cookie."""
    theme, _, names = request.cookies.get(DISPLAY_COOKIE, "").partition(".")
    return (
        theme if theme in THEMES else "auto",
        names if names in NAMES else "full",
    )


def language() -> str:
    """The language of this browser, for whoever has no account here or has not signed in: chosen, or as it asks."""
    # "en-GB, sw;q=0.5" asks for English first.
    asked = (each.partition("-")[0].lower() for each in request.accept_languages.values())
    for wanted in (request.args.get(LANGUAGE), request.cookies.get(LANGUAGE_COOKIE), *asked):
        if wanted in LANGUAGES:
            return wanted
    return "en"


def audience(found: SignedIn, *, wall: bool = False) -> Audience:
    """For whom regions are drawn. A wall and a locked screen show initials at most, and take no alarm."""
    _, names = display()
    return Audience(
        role=found.actor.role.value,
        language=language() if found.actor.role is Role.DISPLAY else found.language,
        chosen_names=names,
        may_take_alarms=found.actor.may(Permission.TAKE_ALARMS),
        wall=wall or found.actor.role is Role.DISPLAY,
        locked=found.state != "open",
    )


def nobody() -> Audience:
    """Whoever has not signed in, or whom an error page need not know."""
    return Audience(role="nobody", language=login.known_language() or language())


def page(title: str, *, live_url: str | None = None) -> Page:
    """The frame of a page for whoever asks."""
    found = login.signed_in()
    theme, _ = display()
    standing, unseen = _own(found)
    takes = found is not None and found.actor.may(Permission.TAKE_ALARMS)
    return Page(
        title=title,
        path=request.path,
        csrf_token=generate_csrf(),
        actor_name=found.actor.name if found else None,
        actor_initials=initials(found.actor.name) if found else "",
        actor_photo=photo_url(found.actor.account_id, found.photo_at) if found and found.photo_at else None,
        nav=STAFF_NAV[found.actor.role.value] if found and found.state in ("open", "locked") else (),
        theme=theme,
        live_url=live_url,
        locked=found is not None and found.state == "locked",
        idle_minutes=found.idle_minutes if found and found.actor.role in STAFF else None,
        has_pin=found is not None and found.has_pin,
        emergency=_emergency(found),
        standing=standing,
        untaken=inbox_queries.not_taken(standing) if standing and takes else None,
        unseen=unseen,
        has_own_bar=live_url is not None and any(f"r={name}-" in live_url for name in OWN_BARS),
        saved=just_saved.offered(found, clock.now()),
        now=clock.now(),
    )


def _own(found: SignedIn | None) -> tuple[AlarmBar | None, Unseen | None]:
    """What stands above the pages of the staff, and what whoever takes alarms was told: two statements a page."""
    if found is None or found.state not in ("open", "locked") or not found.actor.may(Permission.SEE_SYSTEM):
        return None, None
    account_id, now = found.actor.account_id, clock.now()
    takes = found.actor.may(Permission.TAKE_ALARMS)
    with db.transaction(read_only=True) as session:
        return (
            inbox_queries.standing(session, [account_id], now)[account_id],
            own.unseen(session, [account_id], now)[account_id] if takes else None,
        )


def _emergency(found: SignedIn | None) -> tuple[EmergencyLine, ...]:
    """The foreign records that are open to the reader; asks the database only where there are some."""
    if found is None or found.state != "open" or not found.actor.emergency_for:
        return ()
    now = clock.now()
    with db.transaction(read_only=True) as session:
        accesses = emergency.open_now(session, found.actor, now=now)
    return tuple(
        EmergencyLine(
            id=item.id,
            patient_id=item.patient_id,
            hospital_number=item.hospital_number,
            ends_at=item.ends_at,
            minutes_left=ceil((item.ends_at - now).total_seconds() / 60),
        )
        for item in accesses
    )


def answer(
    template: str, title: str, *, status: int = 200, live_url: str | None = None, **data: object
) -> Response:
    """A whole page as an answer."""
    found = login.signed_in()
    reader = data.pop("audience", None)
    if not isinstance(reader, Audience):
        reader = audience(found) if found else nobody()
    answer = html(render_page(template, reader, page=page(title, live_url=live_url), **data), status)
    if request.args.get(LANGUAGE) in LANGUAGES:
        keep(answer, LANGUAGE_COOKIE, request.args[LANGUAGE])
    return answer


def keep(answer: Response, name: str, value: str) -> None:
    """Keep how this browser shows pages."""
    answer.set_cookie(
        name, value, max_age=DISPLAY_DAYS * 86400, secure=request.is_secure, httponly=True, samesite="Lax"
    )


def live_address(dom_ids: Iterable[str], *, wall: bool = False) -> str:
    """The address of the page's socket: its regions stand in it, so that a reconnect subscribes again.

    So do the counts in the rail of whoever takes alarms on every live page but a wall, and the bar above a page of the
    staff that has none of its own.
    """
    shown = list(dom_ids)
    found = login.signed_in()
    if found is not None and not wall:
        own = ["alarm-badge", "notice-badge"] if found.actor.may(Permission.TAKE_ALARMS) else []
        has_own = any(dom_id.startswith(OWN_BARS) for dom_id in shown)
        own += ["staff-bar"] if found.actor.may(Permission.SEE_SYSTEM) and not has_own else []
        shown += [f"{name}-{found.actor.account_id}" for name in own]
    query = [("r", dom_id) for dom_id in shown]
    return "/ws/live/?" + urlencode([*query, ("wall", "1")] if wall else query)


def error_page(*, status: int, title: str, detail: str) -> str:
    """An error as a page. It asks the database nothing: that may be what is broken."""
    view = ErrorView(status=status, heading=title, advice=detail)
    theme, _ = display()
    frame = Page(title=title, path=request.path, csrf_token="", theme=theme)
    return render_page("errors/error.html", nobody(), page=frame, error=view)


def error_line(*, status: int, title: str, detail: str) -> str:
    """An error as one line for htmx."""
    view = ErrorView(status=status, heading=title, advice=detail)
    return render("errors/_error.html", nobody(), error=view)


def photo_url(account_id: UUID, changed_at: datetime) -> str:
    """The address of a person's photo, another one for each photo that they had."""
    return f"/accounts/{account_id}/photo?v={epoch_ms(changed_at)}"


def initials(name: str) -> str:
    """The first letters of the first and last word of a name."""
    words = [word for word in name.replace(".", " ").split() if word]
    return "".join(word[0].upper() for word in ([words[0], words[-1]] if len(words) > 1 else words))
