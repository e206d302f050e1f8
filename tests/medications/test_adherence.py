"""Adherence: given of due, what became of the rest, day by day, and as a file."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from silverwatch import clock
from silverwatch.domain.records.adherence import Counted, adherence_of, count, slots
from silverwatch.domain.records.due_doses import DoseView
from silverwatch.domain.records.medication_schedule import Due
from silverwatch.domain.settings.doses import USUAL
from tests.cast import Cast
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.medications.steps import form, local, needed, sent_in, url

NAIROBI = ZoneInfo("Africa/Nairobi")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOME = UUID(int=1)


def ago(hours: float) -> datetime:
    """So many hours before now."""
    return NOW - timedelta(hours=hours)


def dose(outcome: str, due_at: datetime | None, *, at: datetime = NOW, struck: bool = False) -> DoseView:
    """What was recorded of a dose."""
    return DoseView(
        id=clock.new_id(), medication_id=SOME, patient_id=SOME, name="A", dose="1", due_at=due_at, outcome=outcome,
        at=at, reason="", note="", account_id=SOME, by="Amina", entered_at=at, struck_at=NOW if struck else None,
    )  # fmt: skip


def test_what_counts_and_what_has_its_time() -> None:
    moments = [Due(at=ago(hours), number=1) for hours in (20, 16, 12, 8, 4, 3.9, 0)]
    recorded = [
        dose("given", ago(20)),
        dose("refused", ago(16)),
        dose("given", ago(12), struck=True),
        dose("held", ago(12)),
        # Its plan was changed after it was given: it was due all the same.
        dose("given", ago(6)),
    ]
    found = slots([*moments, Due(at=NOW + timedelta(hours=1), number=1)], recorded, now=NOW)
    assert [slot.outcome for slot in found] == [
        "given", "refused", "held", "unrecorded", "given", "unrecorded", "waiting", "waiting",
    ]  # fmt: skip
    counted = count(found)
    assert counted == Counted(given=2, refused=1, held=1, unrecorded=2)
    assert counted.due == 6
    assert counted.share == 2 / 6
    assert Counted().share is None
    assert timedelta(hours=4) == USUAL.unrecorded


def test_days_are_those_of_the_site_and_as_needed_is_by_itself() -> None:
    late_evening = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)  # half past midnight in Nairobi
    recorded = [
        dose("given", None, at=late_evening),
        dose("given", None, at=ago(1)),
        dose("given", late_evening),
    ]
    found = adherence_of(SOME, "A", [], recorded, now=NOW, zone=NAIROBI)
    assert found.needed == {date(2026, 11, 23): 2}
    assert list(found.days) == [date(2026, 11, 23)]
    assert found.counted == Counted(given=1)


def test_the_page_and_the_file_say_what_became_of_each_dose(
    site: Site, cast: Cast, amina: CheckedClient
) -> None:
    page = amina.get(f"{url(cast)}/adherence").get_data(as_text=True)
    assert "No dose was due in these days" in page
    begun = (clock.now() - timedelta(hours=23)).replace(second=0, microsecond=0)
    medication = sent_in(
        amina, site, cast, form(kind="interval", every_h="6", begins=local(begun), name="=Saline")
    )
    for number, sent in enumerate(({}, {"outcome": "refused", "reason": "Nausea"})):
        moment = clock.epoch_ms(begun + timedelta(hours=6 * number))
        assert amina.submit(f"{url(cast, medication)}/due/{moment}", sent).status_code == 303
    as_needed = sent_in(amina, site, cast, needed())
    amina.submit(f"{url(cast, as_needed)}/doses", {"form_id": str(clock.new_id())})
    page = amina.get(f"{url(cast)}/adherence?days=30").get_data(as_text=True)
    # 23, 17, 11 and 5 h ago: one given, one refused, two that nobody recorded.
    assert "25%" in page
    assert "4 doses due: 1 given, 1 refused, 2 not recorded" in page
    assert "1×" in page
    answer = amina.get(f"{url(cast)}/adherence.csv?days=7")
    lines = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert lines[0][0] == "due_at (UTC)"
    assert sorted(line[3] for line in lines[1:]) == [
        "given", "given", "not recorded", "not recorded", "refused",
    ]  # fmt: skip
    assert {line[1] for line in lines[1:]} == {"'=Saline", "Morphine"}
    assert lines[1][0] == "as needed"
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'medications.exported'") == (1,)
    one = amina.get(url(cast, medication)).get_data(as_text=True)
    assert "Nausea" in one


def test_another_wards_adherence_is_like_none(site: Site, cast: Cast, bruno: CheckedClient) -> None:
    assert bruno.get(f"{url(cast)}/adherence").status_code == 404
    assert bruno.get(f"{url(cast)}/adherence.csv").status_code == 404
