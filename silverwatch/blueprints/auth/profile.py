"""A person's own account: `/profile` and the photo. Contacts and credentials have files of their own."""

from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request

from silverwatch import clock, db
from silverwatch.adapters import images
from silverwatch.blueprints.auth import contacts, credentials, unit_choice
from silverwatch.domain import audit, throttle
from silverwatch.domain.access import Permission
from silverwatch.domain.accounts import photos, profile
from silverwatch.domain.accounts.contacts import contacts_of
from silverwatch.domain.accounts.profile import Details, line
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.wards.queries import wards_of
from silverwatch.web import gates, login, pages

SAVED = {"1", "password"}
"""What the page may say after a form: `?saved=1`."""

PICTURE_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
TOO_MANY = "You have sent many photos within an hour. Wait a few minutes, then choose it again."


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/profile", view_func=own_profile)
    blueprint.add_url_rule("/profile", view_func=change_profile, methods=["POST"])
    blueprint.add_url_rule("/profile/photo", view_func=change_photo, methods=["POST"])
    blueprint.add_url_rule("/profile/photo/removal", view_func=remove_photo, methods=["POST"])
    blueprint.add_url_rule("/accounts/<uuid:account_id>/photo", view_func=photo)
    contacts.register(blueprint)
    credentials.register(blueprint)
    unit_choice.register(blueprint)


@gates.need(Permission.OWN_ACCOUNT)
def own_profile() -> Response:
    """Who am I here, and is my account safe?"""
    return _page()


@gates.need(Permission.OWN_ACCOUNT)
def change_profile() -> Response:
    """Keep what the form says, field by field: whatever else was sent is left out."""
    sent = request.form
    wanted = Details(
        name=line(sent.get("name", "")),
        phone=line(sent.get("phone", "")),
        language=sent.get("language", ""),
        department=line(sent.get("department", "")),
        specialisation=line(sent.get("specialisation", "")),
        licence_number=line(sent.get("licence_number", "")),
    )
    errors = profile.problems(wanted)
    if errors:
        return _page(details=wanted, errors=errors, status=422)
    with db.transaction() as session:
        profile.change(session, login.actor().account_id, wanted=wanted)
    return _saved()


@gates.need(Permission.OWN_ACCOUNT)
def change_photo() -> Response:
    """Read the picture with care, draw it anew and keep that."""
    account_id, now = login.actor().account_id, clock.now()
    with db.transaction() as session:
        wait_s = throttle.take(session, photos.UPLOADS, str(account_id), now=now)
    if wait_s is not None:
        answer = _page(errors={"photo": TOO_MANY}, status=429)
        answer.headers["Retry-After"] = str(int(wait_s) + 1)
        return answer
    try:
        jpeg = images.portrait(_sent_picture())
    except images.PictureError as error:
        with db.transaction() as session:
            subject, detail = ("account", account_id), {"because": str(error)}
            audit.record(session, "photo.changed", outcome="refused", subject=subject, detail=detail)
        return _page(errors={"photo": str(error)}, status=422)
    with db.transaction() as session:
        photos.keep(session, account_id, jpeg=jpeg, now=now)
    return _saved()


@gates.need(Permission.OWN_ACCOUNT)
def remove_photo() -> Response:
    """Go back to initials."""
    with db.transaction() as session:
        photos.remove(session, login.actor().account_id)
    return _saved()


@gates.need(Permission.OWN_ACCOUNT, passive=True)
def photo(account_id: UUID) -> Response:
    """Your own photo or, among staff, a colleague's. A picture on a page is no sign of life."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise NotFoundError("There is no such photo.")
    with db.transaction(read_only=True) as session:
        jpeg = photos.photo_for(session, login.actor(), account_id)
    answer = make_response(jpeg)
    answer.headers["Content-Type"] = "image/jpeg"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Disposition"] = 'inline; filename="photo.jpg"'
    answer.headers["Content-Security-Policy"] = PICTURE_CSP
    return answer


def _sent_picture() -> bytes:
    sent = request.files.get("photo")
    if sent is None:
        return b""
    # A large one lies in a temporary file.
    with sent.stream as file:
        return file.read(images.MAX_BYTES + 1)


def _saved() -> Response:
    return make_response(redirect("/profile?saved=1", 303))


def _page(
    *, details: Details | None = None, errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    actor = login.actor()
    with db.transaction(read_only=True) as session:
        own = profile.own(session, actor.account_id, now=clock.now())
        wards = wards_of(session, actor)
        kept = contacts_of(session, actor.account_id)
    said = request.args.get("saved", "")
    return pages.answer(
        "auth/profile.html",
        "Your profile",
        status=status,
        own=own,
        details=details or own.details,
        errors=errors or {},
        wards=wards,
        contacts=kept,
        photo_url=pages.photo_url(own.id, own.photo_at) if own.photo_at else None,
        saved=said if said in SAVED else "",
    )
