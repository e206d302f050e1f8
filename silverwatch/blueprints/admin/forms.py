"""What the forms of administrators have in common: reading what was sent, and where it leads."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from flask import Response, make_response, redirect
from werkzeug.datastructures import MultiDict

from silverwatch.domain.access import PEOPLE, Role
from silverwatch.domain.wards.models import Ward
from silverwatch.web import fields

MAX_NUMBER: Final = 60

Sent = MultiDict[str, str]


def see(target: str) -> Response:
    """On to a page, after a form was done."""
    return make_response(redirect(target, 303))


def role(written: str | None) -> Role | None:
    """A role that a person can have."""
    return Role(written) if written in {role.value for role in PEOPLE} else None


def ward_ids(sent: Sent, wards: Iterable[Ward], *, name: str = "ward") -> tuple[list[UUID], str | None]:
    """The wards that were ticked, and what to do when one of them is not there."""
    known = {ward.id for ward in wards}
    wanted = {fields.identity(written) for written in sent.getlist(name)}
    chosen = [ward_id for ward_id in known if ward_id in wanted]
    return chosen, None if wanted <= known else "Choose wards from the list."
