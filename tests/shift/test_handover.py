"""Handing over: the sheet says what is stored, keeps what was seen, and costs the same for any ward."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import (
    handover,
    limit_cells,
    limit_proposal,
    limit_versions,
    pauses,
    sheet,
    sheet_queries,
)
from silverwatch.domain.wards.models import Ward
from silverwatch.jobs import roll_up
from tests.cast import Cast, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of
from tests.jobs.posting import held, judge, post
from tests.shift.ward import add_task, counted, fill, score


def build(cast: Cast, *, back: timedelta = timedelta(hours=8)) -> sheet.Sheet:
    """The sheet of ward A."""
    now = clock.now()
    with db.transaction() as session:
        ward = session.get(Ward, cast.achieng.ward_id)
        assert ward is not None
        return sheet_queries.build(session, ward, since=now - back, now=now)


def line_of(found: sheet.Sheet, bed: str) -> sheet.SheetLine:
    """One patient of a sheet."""
    return next(line for line in found.lines if line.bed_label == bed)


def test_what_the_sheet_says(site: Site, cast: Cast, people: People, amina: CheckedClient) -> None:
    worn, now = cast.achieng, clock.now()
    early = now - timedelta(hours=3)
    post(site, worn.key, held("oxygen_saturation", 96, seconds=60), until=early)
    post(site, worn.key, held("oxygen_saturation", 72, seconds=60))
    judge()
    roll_up.roll_up()
    alert_id = site.row("SELECT id FROM alert WHERE closed_at IS NULL AND vital = 'oxygen_saturation'")[0]
    score(site, worn.patient_id, total=5, risk="medium", set_at=now - timedelta(hours=2))
    task = add_task(actor_of(people.amina), worn.patient_id, "Turn", due=-timedelta(minutes=5))
    add_task(actor_of(people.amina), worn.patient_id, "Far away", due=timedelta(hours=13))
    amina.submit(
        f"/patients/{worn.patient_id}/notes", {"text": "Family was here", "form_id": str(clock.new_id())}
    )
    for remark in ("Old words", "Ask the doctor about fluids"):
        assert amina.submit(f"/patients/{worn.patient_id}/remark", {"text": remark}).status_code == 303
    line = line_of(build(cast), "A1")
    trend = next(item for item in line.trends if item.vital == "oxygen_saturation")
    assert (trend.first, trend.last, trend.low, trend.high) == (96, 72, 72, 96)
    assert [alarm.id for alarm in line.open_alarms] == [alert_id]
    assert (line.alarms.high, line.alarms.taken, line.alarms.waiting) == (1, 0, line.alarms.count)
    assert [item.id for item in line.tasks] == [task]
    assert [note.text for note in line.notes] == ["Family was here"]
    assert line.remark is not None
    assert line.remark.text == "Ask the doctor about fluids"
    amina.submit(f"/alerts/{alert_id}/acknowledgement")
    assert line_of(build(cast), "A1").alarms.taken == 1
    page = amina.get("/handover/a?hours=8").get_data(as_text=True)
    for words in (
        "96 → 72",
        "Observations overdue since",
        "Turn",
        "Ask the doctor about fluids",
        "acknowledged by Amina",
    ):
        assert words in page, words
    assert "Old words" not in page
    assert "No alarms in this shift" in page


def test_own_limits_and_pauses_are_in_it(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    actor, now = actor_of(people.amina), clock.now()
    scope = limit_proposal.Scope("patient", patient_id=cast.achieng.patient_id)
    key = limit_cells.Key("oxygen_saturation", "low")
    wanted = {key: limit_cells.Setting(86)}
    with db.transaction() as session:
        limit_versions.change(
            session, scope, wanted, by=actor.account_id, reason="Known lung disease",
            until=now + timedelta(days=1), now=now,
        )  # fmt: skip
        pauses.begin(session, actor, scope="patient", subject_id=cast.achieng.patient_id, reason="xray",
                     ends_at=now + timedelta(hours=1), now=now)  # fmt: skip
    line = line_of(build(cast), "A1")
    assert [(own.vital, own.cell, own.value) for own in line.limits] == [("oxygen_saturation", "low", 86)]
    assert [pause.reason for pause in line.pauses] == ["xray"]
    page = amina.get("/handover/a").get_data(as_text=True)
    assert "SpO₂ low <b>86</b>" in page
    assert "X-ray" in page


def test_the_score_at_the_beginning_is_that_of_the_values_then(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    url = f"/patients/{cast.achieng.patient_id}/observations"
    now = clock.now()
    whole = {
        "respiratory_rate": "16", "oxygen_saturation": "97", "supplemental_oxygen": "0", "systolic_bp": "121",
        "heart_rate": "80", "temperature": "36.8", "consciousness": "A",
    }  # fmt: skip
    for hours, changed in ((9, {}), (1, {"respiratory_rate": "26"})):
        at = (now - timedelta(hours=hours)).isoformat()
        sent = whole | changed | {"form_id": str(clock.new_id()), "measured_at": at}
        assert amina.submit(url, sent).status_code == 303
    # Heart rate, breathing and oxygen may be a quarter of an hour old at most.
    before = clock.now() - (now - timedelta(hours=9)) - timedelta(minutes=5)
    assert line_of(build(cast, back=before), "A1").news_before == 0
    assert line_of(build(cast, back=timedelta(hours=5)), "A1").news_before is None


def test_accepting_keeps_the_sheet_as_it_was(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    form = str(clock.new_id())
    amina.submit(f"/patients/{cast.achieng.patient_id}/remark", {"text": "First words"})
    page = amina.get("/handover/a").get_data(as_text=True)
    assert "You are not on duty here." in page
    for _ in range(2):
        answer = amina.submit("/handover/a", {"form_id": form})
        assert answer.location == f"/handover/a/{form}"
    assert site.row("SELECT count(*) FROM duty WHERE ended_at IS NULL") == (1,)
    assert site.row("SELECT count(*) FROM audit_entry WHERE action = 'handover.accepted'") == (1,)
    amina.submit(f"/patients/{cast.achieng.patient_id}/remark", {"text": "Later words"})
    kept = amina.get(answer.location).get_data(as_text=True)
    assert "Amina accepted duty on" in kept
    assert "First words" in kept
    assert "Later words" not in kept
    now = amina.get("/handover/a").get_data(as_text=True)
    assert "Later words" in now
    assert "You are on duty since" in now
    assert f'href="/handover/a/{form}"' in now


def test_a_sheet_is_the_same_after_it_was_stored(site: Site, cast: Cast, people: People) -> None:
    post(site, cast.achieng.key, [(0.5, {"oxygen_saturation": 72, "heart_rate": 80})])
    judge()
    found = build(cast)
    assert found.lines[0].open_alarms
    assert sheet.read(sheet.plain(found)) == found


def test_another_ward_is_like_none(
    site: Site, cast: Cast, people: People, amina: CheckedClient, bruno: CheckedClient
) -> None:
    form = clock.new_id()
    amina.submit("/handover/a", {"form_id": str(form)})
    for path in ("/handover/a", f"/handover/a/{form}", f"/handover/b/{form}", "/handover/%00"):
        assert bruno.get(path).status_code == 404, path
    assert bruno.submit("/handover/a").status_code == 404
    assert bruno.submit(f"/patients/{cast.achieng.patient_id}/remark", {"text": "x"}).status_code == 404
    assert site.row("SELECT count(*) FROM handover_remark") == (0,)
    assert bruno.get("/handover").location == "/handover/b"


def test_more_beds_take_no_more_statements(
    site: Site, cast: Cast, people: People, amina: CheckedClient
) -> None:
    costs = []
    for beds in (3, 20):
        fill(cast.achieng.ward_id, beds, first=beds * 10)
        amina.get("/handover/a")
        with counted() as found:
            page = amina.get("/handover/a").get_data(as_text=True)
        costs.append(len(found))
    assert len(re.findall('<article class="card sheet-card"', page)) == 25
    assert costs[0] == costs[1] <= 41, costs


@pytest.mark.parametrize(
    ("now", "begin"),
    [
        ("14:50", "07:00"),
        ("15:30", "07:00"),
        ("16:10", "15:00"),
        ("07:20", "22:00"),
        ("23:10", "22:00"),
        ("03:00", "22:00"),
    ],
)
def test_the_shift_that_is_handed_over(now: str, begin: str) -> None:
    zone = ZoneInfo("Africa/Nairobi")
    moment = datetime.fromisoformat(f"2026-11-24T{now}").replace(tzinfo=zone)
    assert handover.shift_begin(moment, zone=zone).astimezone(zone).strftime("%H:%M") == begin
