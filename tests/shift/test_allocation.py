"""Whose beds are whose: taken, given back, taken over, and nobody's for ever."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from silverwatch import clock, db
from silverwatch.domain.access import Actor
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.wards import allocation
from silverwatch.domain.wards.shifts import LONGEST
from tests.cast import Cast, People
from tests.conftest import Site
from tests.duty.crew import actor_of, join


def take(actor: Actor, *beds: UUID, seen: tuple[UUID, ...] = ()) -> int:
    """Take beds."""
    with db.transaction() as session:
        return allocation.take(session, actor, beds, now=clock.now(), seen=seen)


def held(*beds: UUID) -> dict[UUID, str]:
    """Bed id to who looks after it."""
    with db.transaction() as session:
        found = allocation.holders(session, beds, now=clock.now())
        return {bed: holder.name for bed, holder in found.items()}


def test_a_bed_is_one_persons_at_a_time(site: Site, cast: Cast, people: People) -> None:
    amina, nia = actor_of(people.amina), join("Nia", cast.achieng.ward_id)
    one, two = cast.achieng.bed_id, cast.baraka.bed_id
    assert take(amina, one, two) == 2
    assert take(amina, one) == 0
    with pytest.raises(ConflictError, match="Amina has taken one of these beds"):
        take(nia, one)
    assert held(one, two) == {one: "Amina", two: "Amina"}
    assert take(nia, one, seen=(one,)) == 1
    assert held(one, two) == {one: "Nia", two: "Amina"}
    assert site.row("SELECT count(*) FROM allocation WHERE ended_as = 'taken_over'") == (1,)
    detail = site.rows("SELECT detail FROM audit_entry WHERE action = 'beds.taken' ORDER BY seq")[-1][0]
    assert detail == {"beds": ["A1"], "from": ["Amina"]}


def test_only_ones_own_beds_are_given_back(site: Site, cast: Cast, people: People) -> None:
    amina, nia = actor_of(people.amina), join("Nia", cast.achieng.ward_id)
    take(amina, cast.achieng.bed_id)
    for actor, gone in ((nia, 0), (amina, 1), (amina, 0)):
        with db.transaction() as session:
            assert allocation.give_back(session, actor, [cast.achieng.bed_id], now=clock.now()) == gone
    assert held(cast.achieng.bed_id) == {}


def test_a_bed_elsewhere_is_like_none(site: Site, cast: Cast, people: People) -> None:
    for actor, bed in (
        (actor_of(people.amina), cast.chebet.bed_id),
        (actor_of(people.amina), clock.new_id()),
        (actor_of(people.tekla), cast.achieng.bed_id),
    ):
        with pytest.raises(NotFoundError, match="There is no such bed"):
            take(actor, bed)
        with pytest.raises(NotFoundError, match="There is no such bed"), db.transaction() as session:
            allocation.give_back(session, actor, [bed], now=clock.now())
    assert site.row("SELECT count(*) FROM allocation") == (0,)


def test_a_bed_that_was_forgotten_is_nobodys(site: Site, cast: Cast, people: People) -> None:
    amina, nia = actor_of(people.amina), join("Nia", cast.achieng.ward_id)
    bed = cast.achieng.bed_id
    take(amina, bed)
    with db.transaction() as session:
        long_ago = clock.now() - LONGEST - timedelta(minutes=1)
        session.execute(text("UPDATE allocation SET taken_at = :at"), {"at": long_ago})
    assert held(bed) == {}
    assert take(nia, bed) == 1
    assert held(bed) == {bed: "Nia"}
