"""The card pages of joining and recovery: forms as they were sent, links that have ended, too many tries."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from flask import Response, current_app, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.domain.accounts import asking, links
from silverwatch.domain.accounts.entries import MAX_EMAIL
from silverwatch.domain.accounts.links import LinkEndedError, LinkKind
from silverwatch.domain.accounts.signing import TooMany
from silverwatch.domain.errors import DomainError
from silverwatch.web import auditing, pages

PASSWORD_PAGES: Final[dict[LinkKind, tuple[str, str]]] = {
    "invitation": ("auth/welcome.html", "Welcome"),
    "reset": ("auth/reset.html", "Choose a new password"),
}


@dataclass(slots=True, kw_only=True)
class Form:
    """A form as it was sent; `errors` maps a field to what to do about it. Passwords are never sent back."""

    name: str = ""
    email: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, rule: Callable[[str], str]) -> None:
        """Read a field as the rule keeps it, or note what to do about it."""
        try:
            setattr(self, name, rule(request.form.get(name, "")))
        except DomainError as error:
            self.errors[name] = str(error)


def sent() -> Form:
    """The form of this request; what cannot be shown again is left out."""
    shown = {
        name: "".join(sign for sign in request.form.get(name, "")[: MAX_EMAIL + 1] if sign.isprintable())
        for name in ("name", "email")
    }
    return Form(name=shown["name"], email=shown["email"])


def page(template: str, title: str, *, status: int = 200, wait_min: int = 0, **data: object) -> Response:
    """A card page. With a form that has errors it is a 422."""
    form = data.get("form")
    if isinstance(form, Form) and form.errors:
        status = 422
    return pages.answer(template, title, status=status, live_url=None, wait_min=wait_min, **data)


def password_page(kind: LinkKind, token: str, form: Form) -> Response:
    """The page on which whoever holds this link chooses a password."""
    template, title = PASSWORD_PAGES[kind]
    try:
        with db.transaction(read_only=True) as session:
            person = links.holder_of(session, kind=kind, token=token, now=clock.now())
    except LinkEndedError:
        return ended()
    return page(template, title, form=form, person=person)


def see(target: str) -> Response:
    """Lead to the next page."""
    return make_response(redirect(target, 303))


def ended() -> Response:
    """The same for a link that was used, has expired, or never was."""
    auditing.refused("the link has ended")
    return page("auth/link_ended.html", "This link has ended", status=404)


def ask(action: str, email: str) -> TooMany | None:
    """May a letter be sent? Committed at once, so that a failure later gives no try back."""
    with db.transaction() as session:
        return asking.ask_for_letter(
            session, action=action, email=email, address=request.remote_addr, now=clock.now()
        )


def too_many(refusal: TooMany, template: str, title: str, form: Form) -> Response:
    """The form again, with how long to wait."""
    answer = page(template, title, status=429, form=form, wait_min=math.ceil(refusal.wait_s / 60))
    answer.headers["Retry-After"] = str(math.ceil(refusal.wait_s))
    return answer


def base_url() -> str:
    """What links in letters begin with."""
    found: str = current_app.extensions["config"].base_url
    return found
