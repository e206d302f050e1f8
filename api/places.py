"""Beds as programs name them: the ward's slug and the bed's label, "home" for a place at home."""

from collections.abc import Collection
from typing import Annotated, Final
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.problems import Problem
from silverwatch.domain.admissions.moving import Target
from silverwatch.domain.records.stays import HOME, Lying
from silverwatch.domain.wards.models import Bed, Ward

UNFIT: Final = "The body does not fit."

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """A bed of a ward, by the ward's slug and the bed's label; `bed` "home" is a place at home."""

    ward: Text
    bed: Text


def target(
    session: Session, said: Place, *, ward_ids: Collection[UUID] | None = None, at: str = "/to"
) -> Target:
    """Where it is, in these wards or in any; raises Problem 422 where there is none."""
    ward_id = session.scalar(select(Ward.id).where(Ward.slug == _plain(said.ward)))
    if ward_id is None or (ward_ids is not None and ward_id not in ward_ids):
        raise Problem(422, UNFIT, errors=[(f"{at}/ward", "no ward of yours with this slug")])
    if said.bed == HOME:
        return Target(ward_id=ward_id)
    bed_id = session.scalar(
        select(Bed.id).where(Bed.ward_id == ward_id, Bed.label == _plain(said.bed), Bed.kind != HOME)
    )
    if bed_id is None:
        raise Problem(422, UNFIT, errors=[(f"{at}/bed", "no bed of this ward with this label")])
    return Target(ward_id=ward_id, bed_id=bed_id)


def is_there(session: Session, here: Lying, to: Target) -> bool:
    """Does somebody who lies here lie there?"""
    if to.bed_id is not None:
        return here.bed_id == to.bed_id
    return here.ward_id == to.ward_id and session.get_one(Bed, here.bed_id).kind == HOME


def is_said(session: Session, here: Lying, said: Place) -> bool:
    """Is this where somebody lies? A place at home has a label of its own too."""
    slug = session.get_one(Ward, here.ward_id).slug
    is_home = said.bed == HOME and session.get_one(Bed, here.bed_id).kind == HOME
    return slug == said.ward and (here.label == said.bed or is_home)


def _plain(said: str) -> str:
    return said.replace("\0", "")
