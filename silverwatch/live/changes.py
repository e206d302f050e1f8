"""Pure: which regions a change touches."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from silverwatch.live.places import Where
from silverwatch.live.region import UNLISTED
from silverwatch.live.regions import ALL, Key


def touched(
    changed: Mapping[str, set[UUID]],
    *,
    for_all: set[str],
    places: Mapping[UUID, tuple[UUID, UUID]],
    shown: Mapping[Key, Where],
) -> Iterator[tuple[Key, UUID | None]]:
    """The regions that are to be drawn again, each with the patient who changed; None for what is everybody's.

    `changed`: region name to patients; `for_all`: names of which every region is touched; `places`: patient to
    (bed, ward); `shown`: the open regions.
    """
    for name, patients in changed.items():
        subject = ALL[name].subject
        for patient_id in patients:
            if subject == "patient":
                yield (name, patient_id), patient_id
            elif subject in ("bed", "ward") and patient_id in places:
                bed_id, ward_id = places[patient_id]
                yield (name, bed_id if subject == "bed" else ward_id), patient_id
            elif (name, patient_id) in shown:
                # A fact about the ward or the bed itself.
                yield (name, patient_id), None
        if subject in UNLISTED:
            yield from _unlisted(name, patients, shown)
    for key in shown:
        if key[0] in for_all:
            yield key, None


def _unlisted(
    name: str, patients: set[UUID], shown: Mapping[Key, Where]
) -> Iterator[tuple[Key, UUID | None]]:
    """An alert's region by its patient; a person's own by any patient: whose it shows is known to its query only."""
    for key, where in shown.items():
        if key[0] != name:
            continue
        if where.patient_id in patients:
            yield key, where.patient_id
        elif where.account_id is not None:
            for patient_id in patients:
                yield key, patient_id
