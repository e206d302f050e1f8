"""Which regions a change touches."""

from uuid import UUID

import pytest

from silverwatch.domain.access import Permission
from silverwatch.live import changes
from silverwatch.live.places import Where
from silverwatch.live.region import Region, Subject
from silverwatch.live.regions import ALL

PATIENT, OTHER, BED, WARD, ALERT, ACCOUNT = (UUID(int=number) for number in range(1, 7))
PLACES = {PATIENT: (BED, WARD)}


@pytest.fixture(autouse=True)
def _regions(monkeypatch: pytest.MonkeyPatch) -> None:
    subjects: tuple[Subject, ...] = ("bed", "ward", "patient", "alert", "account")
    for subject in subjects:
        monkeypatch.setitem(ALL, f"of-{subject}", region(subject))


def region(subject: Subject) -> Region:
    """A region of that subject."""
    return Region(
        name=f"of-{subject}", subject=subject, template="", variable="", url="", load=lambda *_: {}, every_s=1,
        permission=Permission.SEE_WARD,
    )  # fmt: skip


SHOWN = {
    ("of-alert", ALERT): Where(WARD, PATIENT),
    ("of-alert", OTHER): Where(WARD, OTHER),
    ("of-account", ACCOUNT): Where(account_id=ACCOUNT),
    ("of-bed", OTHER): Where(WARD),
}


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("bed", ("of-bed", BED)),
        ("ward", ("of-ward", WARD)),
        ("patient", ("of-patient", PATIENT)),
        ("alert", ("of-alert", ALERT)),
        ("account", ("of-account", ACCOUNT)),
    ],
)
def test_a_change_of_a_patient_touches_what_shows_them(subject: str, key: tuple[str, UUID]) -> None:
    found = changes.touched({f"of-{subject}": {PATIENT}}, for_all=set(), places=PLACES, shown=SHOWN)
    assert list(found) == [(key, PATIENT)]


def test_who_lies_nowhere_touches_no_board() -> None:
    assert not list(changes.touched({"of-bed": {OTHER}}, for_all=set(), places=PLACES, shown={}))


def test_a_fact_about_a_ward_or_a_bed_itself_touches_what_shows_it() -> None:
    found = changes.touched({"of-bed": {OTHER}}, for_all=set(), places=PLACES, shown=SHOWN)
    assert list(found) == [(("of-bed", OTHER), None)]


def test_what_is_everybodys_touches_every_open_region_of_the_name() -> None:
    found = changes.touched({}, for_all={"of-alert"}, places={}, shown=SHOWN)
    assert sorted(found) == [(("of-alert", OTHER), None), (("of-alert", ALERT), None)]
