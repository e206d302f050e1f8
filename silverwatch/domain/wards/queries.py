"""Wards that an actor may see."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch.domain.access import Actor
from silverwatch.domain.errors import NotFoundError
from silverwatch.domain.wards.models import Bed, Ward


def wards_of(session: Session, actor: Actor) -> list[Ward]:
    """The actor's wards by name; closed ones stand nowhere."""
    query = select(Ward).where(Ward.id.in_(actor.ward_ids), Ward.closed_at.is_(None)).order_by(Ward.name)
    return list(session.scalars(query))


def ids_by_word(wards: Iterable[Ward]) -> dict[str, UUID]:
    """What a file may call each of the wards, in small letters: its name, or the word of its address."""
    return {word: ward.id for ward in wards for word in (ward.slug.casefold(), ward.name.casefold())}


def all_wards(session: Session) -> list[Ward]:
    """Every open ward by name: for the forms of administrators, who put people into any of them."""
    return list(session.scalars(select(Ward).where(Ward.closed_at.is_(None)).order_by(Ward.name)))


def ward_by_slug(session: Session, actor: Actor, slug: str) -> Ward:
    """One ward of the actor; raises NotFoundError for another's as for none."""
    # PostgreSQL cannot even be asked for a text with NUL in it.
    ward = (
        None
        if "\0" in slug
        else session.scalar(
            select(Ward).where(Ward.slug == slug, Ward.id.in_(actor.ward_ids), Ward.closed_at.is_(None))
        )
    )
    if ward is None:
        raise NotFoundError("There is no such ward.")
    return ward


def wards_of_beds(session: Session, bed_ids: list[UUID]) -> dict[UUID, UUID]:
    """Bed id to ward id, for those beds that exist."""
    rows = session.execute(select(Bed.id, Bed.ward_id).where(Bed.id.in_(bed_ids)))
    return {row.id: row.ward_id for row in rows}
