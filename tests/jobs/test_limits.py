"""Limits in layers, as rows: which win, that a change is judged at once, when they end, and what stays of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from silverwatch import clock, db
from silverwatch.domain.alerts import layers, limit_versions, queries
from silverwatch.domain.alerts.limit_card import limit_card
from silverwatch.domain.alerts.limit_cells import Key, Setting
from silverwatch.domain.alerts.limit_proposal import LimitsError, Scope
from silverwatch.domain.alerts.limits import SITE_DEFAULTS
from silverwatch.domain.errors import ConflictError
from silverwatch.jobs import evaluate
from tests.cast import Cast, create_bed, create_patient
from tests.conftest import Site
from tests.jobs.posting import alerts, held, judge, post

LOW = "oxygen_saturation_low"
SPO2 = Key("oxygen_saturation", "low")
HOUR = timedelta(hours=1)


def change(
    scope: Scope,
    cells: dict[Key, float | None],
    *,
    reason: str = "COPD",
    until: timedelta | None = HOUR,
    seen: int | None = None,
    now: datetime | None = None,
) -> Any:
    """Set these cells, None for off, and nothing else."""
    at = now or clock.now()
    wanted = {key: Setting(value, off=value is None) for key, value in cells.items()}
    with db.transaction() as session:
        return limit_versions.change(
            session,
            scope,
            wanted,
            by=None,
            reason=reason,
            until=at + until if until else None,
            seen=seen,
            now=at,
        )


def low_of(*worn: Any, now: datetime | None = None) -> list[float | None]:
    """The low limit of SpO2 that applies to each."""
    with db.transaction(read_only=True) as session:
        found = layers.limits_of(session, [w.patient_id for w in worn], now=now or clock.now())
    return [found[w.patient_id].by_vital["oxygen_saturation"].low for w in worn]


def end_due(*, after: timedelta = timedelta()) -> int:
    with db.transaction() as session:
        return limit_versions.end_due(session, now=clock.now() + after)


def test_the_patient_before_the_ward_before_the_site(site: Site, cast: Cast) -> None:
    everybody = (cast.achieng, cast.baraka, cast.chebet)
    assert low_of(*everybody) == [90, 90, 90]
    change(Scope.site(), {SPO2: 89})
    assert low_of(*everybody) == [89, 89, 89]
    change(Scope.of_ward(cast.achieng.ward_id), {SPO2: 88})
    assert low_of(*everybody) == [88, 88, 89]
    change(Scope.of_patient(cast.achieng.patient_id), {SPO2: 86})
    assert low_of(*everybody) == [86, 88, 89]
    change(Scope.of_ward(cast.achieng.ward_id), {})
    assert low_of(*everybody) == [86, 89, 89]


def test_patients_with_the_same_limits_share_them(site: Site, cast: Cast) -> None:
    for worn in (cast.achieng, cast.chebet):
        change(Scope.of_patient(worn.patient_id), {SPO2: 86})
    ids = [worn.patient_id for worn in (cast.achieng, cast.baraka, cast.chebet)]
    with db.transaction(read_only=True) as session:
        one, other, third = (layers.limits_of(session, ids, now=clock.now())[patient] for patient in ids)
        assert one is third
        assert other.by_vital == layers.delivered(session).by_vital == SITE_DEFAULTS.by_vital


def test_questions_do_not_grow_with_patients(site: Site, cast: Cast) -> None:
    for worn in (cast.achieng, cast.baraka, cast.chebet):
        change(Scope.of_patient(worn.patient_id), {SPO2: 86})
    ids = [worn.patient_id for worn in (cast.achieng, cast.baraka, cast.chebet)]
    counts = []
    for wanted in (ids[:1], ids):
        seen: list[str] = []
        note = lambda *args, seen=seen: seen.append(args[2])  # noqa: E731
        event.listen(db.engine(), "before_cursor_execute", note)
        with db.transaction() as session:
            layers.limits_of(session, wanted, now=clock.now())
        event.remove(db.engine(), "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts == [2, 2]


def test_each_change_is_a_version_that_stays(site: Site, cast: Cast) -> None:
    scope = Scope.of_patient(cast.achieng.patient_id)
    change(scope, {SPO2: 88}, reason="COPD")
    change(scope, {SPO2: 88, Key("heart_rate", "high"): 130}, reason="Atrial fibrillation")
    assert change(scope, {SPO2: 88, Key("heart_rate", "high"): 130}, reason="Again") is None
    change(scope, {}, reason="Better")
    with db.transaction(read_only=True) as session:
        versions = limit_versions.history(session, scope)
        assert [(v.number, v.reason, v.superseded_at is None) for v in versions] == [
            (3, "Better", True), (2, "Atrial fibrillation", False), (1, "COPD", False),
        ]  # fmt: skip
        assert versions[2].changes == [
            {"vital": "oxygen_saturation", "cell": "low", "before": 90, "after": 88}
        ]
        # What a later change does not touch keeps who set it and why.
        own = layers.owned(versions[1].cells)
        assert {key: cell.reason for key, cell in own.items()} == {
            SPO2: "COPD", Key("heart_rate", "high"): "Atrial fibrillation",
        }  # fmt: skip
        old = limit_versions.settings_at(session, scope, 1)
        assert limit_versions.settings_at(session, scope, 9) is None
    assert old == {SPO2: Setting(88)}
    with db.transaction() as session:
        again = limit_versions.change(
            session, scope, old, by=None, reason="As before", until=clock.now() + HOUR, now=clock.now()
        )
        assert again is not None
        assert again.number == 4
    assert low_of(cast.achieng) == [88]


def test_what_cannot_be_set_is_not_set(site: Site, cast: Cast) -> None:
    scope = Scope.of_patient(cast.achieng.patient_id)
    with pytest.raises(LimitsError) as refused:
        change(scope, {SPO2: 75}, reason="", until=None)
    assert refused.value.problems.keys() == {Key("oxygen_saturation", "low_critical"), "reason", "until"}
    change(scope, {SPO2: 88})
    with pytest.raises(ConflictError, match="Somebody else"):
        change(scope, {SPO2: 87}, seen=0)
    with db.transaction() as session:
        nowhere = create_patient(session, "Nowhere").id
    with pytest.raises(ConflictError, match="no bed"):
        change(Scope.of_patient(nowhere), {SPO2: 88})
    assert site.row("SELECT count(*) FROM limit_version")[0] == 1


def test_a_spot_value_of_an_hour_ago_alarms_under_the_new_limit(site: Site, cast: Cast) -> None:
    worn = cast.achieng
    post(site, worn.key, [(600, {"temperature": 38.2})])
    judge()
    assert alerts(site, worn.patient_id) == []
    change(Scope.of_patient(worn.patient_id), {Key("temperature", "high"): 38.0}, until=None)
    judge()
    assert alerts(site, worn.patient_id) == [("temperature_high", "medium", True, True)]
    assert tuple(site.row('SELECT value, "limit" FROM alert')) == (38.2, 38.0)


def test_an_alarm_that_is_none_any_more_ends_and_was_none_that_was_never_true(site: Site, cast: Cast) -> None:
    worn = cast.achieng
    post(site, worn.key, [(600, {"temperature": 38.6}), *held("oxygen_saturation", 88, seconds=30)])
    judge()
    assert len(alerts(site, worn.patient_id)) == 2
    change(Scope.of_patient(worn.patient_id), {Key("temperature", "high"): 38.7, SPO2: 88})
    judge()
    assert alerts(site, worn.patient_id)[0] == ("temperature_high", "medium", False, True)
    post(site, worn.key, [(0, {"oxygen_saturation": 88})])
    judge()
    closed = site.rows("SELECT kind, closed_as FROM alert ORDER BY kind")
    assert [tuple(row) for row in closed] == [(LOW, "ended"), ("temperature_high", "ended")]


@pytest.mark.parametrize("late", [300, 30])
def test_a_late_reading_is_judged_under_the_limits_of_its_time(site: Site, cast: Cast, late: int) -> None:
    """It makes the fold begin before the change: what was raised and ended by the change stays as it is."""
    worn, end = cast.achieng, clock.now()
    moved = end - timedelta(seconds=120)
    post(site, worn.key, [(600, {"temperature": 38.6}), (500, {"heart_rate": 80})], until=end)
    judge()
    change(Scope.of_patient(worn.patient_id), {Key("temperature", "high"): 38.7}, now=moved)
    post(site, worn.key, [(60, {"heart_rate": 80})], until=end)
    judge()
    before = site.rows("SELECT kind, run_from, event_at, ended_at, closed_as FROM alert")
    assert [tuple(row)[3:] for row in before] == [(moved, "ended")]
    post(site, worn.key, [(late, {"heart_rate": 81})], until=end)
    judge()
    assert site.rows("SELECT kind, run_from, event_at, ended_at, closed_as FROM alert") == before


def test_own_limits_end_at_their_time_also_before_the_guard_has_looked(site: Site, cast: Cast) -> None:
    worn, scope = cast.achieng, Scope.of_patient(cast.achieng.patient_id)
    change(scope, {SPO2: 86}, until=HOUR)
    assert low_of(worn, now=clock.now() + HOUR - timedelta(seconds=1)) == [86]
    assert low_of(worn, now=clock.now() + HOUR) == [90]
    assert end_due() == 0
    assert end_due(after=HOUR) == 1
    assert end_due(after=HOUR) == 0
    with db.transaction(read_only=True) as session:
        newest = limit_versions.history(session, scope)[0]
    assert (newest.number, newest.reason, newest.account_id) == (2, limit_versions.EXPIRED, None)
    assert newest.changes == [{"vital": "oxygen_saturation", "cell": "low", "before": 86, "after": 90}]


def stays(worn: Any, statement: str, **values: Any) -> None:
    with db.transaction() as session:
        session.execute(text(statement), {"patient": worn.patient_id, **values})


END = "UPDATE stay SET during = tstzrange(lower(during), :at, '[)') WHERE patient_id = :patient AND upper_inf(during)"
BEGIN = "INSERT INTO stay (id, patient_id, bed_id, during) VALUES (:id, :patient, :bed, tstzrange(:at, NULL, '[)'))"


def test_own_limits_end_at_discharge_and_survive_a_transfer(site: Site, cast: Cast) -> None:
    worn, scope = cast.achieng, Scope.of_patient(cast.achieng.patient_id)
    change(scope, {SPO2: 86})
    with db.transaction() as session:
        bed = create_bed(session, cast.chebet.ward_id, label="B9", position=9).id
    moved = clock.now()
    stays(worn, END, at=moved)
    stays(worn, BEGIN, id=clock.new_id(), bed=bed, at=moved)
    assert end_due() == 0
    assert low_of(worn) == [86]
    gone = clock.now()
    stays(worn, END, at=gone)
    assert low_of(worn) == [90]
    # Back a moment later, before anybody looked: it is another stay all the same.
    stays(worn, BEGIN, id=clock.new_id(), bed=bed, at=gone + timedelta(milliseconds=1))
    assert end_due(after=timedelta(seconds=1)) == 1
    assert low_of(worn, now=clock.now() + timedelta(seconds=2)) == [90]
    with db.transaction(read_only=True) as session:
        assert limit_versions.history(session, scope)[0].reason == limit_versions.DISCHARGED


def test_a_vital_that_is_switched_off_is_known_as_such(site: Site, cast: Cast) -> None:
    high = {Key("heart_rate", "high"): None, Key("heart_rate", "high_critical"): None}
    change(Scope.of_ward(cast.achieng.ward_id), high)
    change(
        Scope.of_patient(cast.baraka.patient_id),
        {Key("heart_rate", "high"): 130, Key("heart_rate", "high_critical"): 150},
    )
    with db.transaction(read_only=True) as session:
        ids = [cast.achieng.patient_id, cast.baraka.patient_id, cast.chebet.patient_id]
        found = layers.switched_off(session, ids, now=clock.now())
    assert found == {cast.achieng.patient_id: frozenset({"heart_rate"})}


def test_a_change_for_the_site_lets_everybody_in_a_bed_be_judged(site: Site, cast: Cast) -> None:
    for worn in (cast.achieng, cast.chebet):
        post(site, worn.key, [(60, {"temperature": 37.9})])
    judge()
    change(Scope.site(), {Key("temperature", "high"): 37.5})
    assert evaluate.drain() == 3
    assert (
        site.row("SELECT count(*) FROM alert WHERE closed_at IS NULL AND kind = 'temperature_high'")[0] == 2
    )


def test_a_limit_that_is_off_shows_on_the_tile(site: Site, cast: Cast) -> None:
    high = {Key("heart_rate", "high"): None, Key("heart_rate", "high_critical"): None}
    change(Scope.of_patient(cast.achieng.patient_id), high)
    with db.transaction(read_only=True) as session:
        found = queries.tiles(session, [cast.achieng.bed_id, cast.baraka.bed_id], clock.now())
    assert [cell.name for cell in found[cast.achieng.bed_id].cells if cell.limit_off] == ["heart_rate"]
    assert [cell.name for cell in found[cast.baraka.bed_id].cells if cell.limit_off] == []


def test_the_card_says_whose_limits_these_are_and_how_often_they_alarmed(site: Site, cast: Cast) -> None:
    post(site, cast.achieng.key, held("oxygen_saturation", 85, seconds=20))
    judge()
    change(Scope.of_ward(cast.achieng.ward_id), {Key("heart_rate", "high"): 125})
    change(Scope.of_patient(cast.achieng.patient_id), {SPO2: 86}, reason="COPD")
    with db.transaction(read_only=True) as session:
        rows = {row.vital: row for row in limit_card(session, cast.achieng.patient_id, now=clock.now()).rows}
    spo2, pulse = rows["oxygen_saturation"], rows["heart_rate"]
    assert (spo2.layer, spo2.alarms, pulse.layer, pulse.alarms) == ("patient", 1, "ward", 0)
    low = spo2.cells["low"]
    assert (low.setting.value, low.inherited.value, low.own, low.looser, low.reason) == (
        86,
        90,
        True,
        True,
        "COPD",
    )
    assert pulse.cells["high"].setting.value == pulse.cells["high"].inherited.value == 125
    assert rows["temperature"].layer == "delivered"
