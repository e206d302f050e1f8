"""Judging, from stored readings to alerts, in the order that life brings them."""

import random
from datetime import timedelta

import pytest

from silverwatch import clock, db
from silverwatch.domain.alerts import judging
from silverwatch.jobs import evaluate
from tests.cast import Cast
from tests.conftest import Site
from tests.jobs.posting import alerts, held, judge, post

LOW = "oxygen_saturation_low"


def test_a_held_breach_raises_exactly_one_alert_and_a_resend_none(site: Site, cast: Cast) -> None:
    worn = cast.achieng
    end = clock.now()
    steps = held("oxygen_saturation", 82, seconds=20)
    assert post(site, worn.key, steps, until=end)["stored"] == 5
    judge()
    assert alerts(site, worn.patient_id) == [(LOW, "medium", True, True)]
    assert post(site, worn.key, steps, until=end)["duplicates"] == 5
    judge()
    assert alerts(site, worn.patient_id) == [(LOW, "medium", True, True)]


def test_a_single_breach_raises_none_but_an_extreme_one_at_once(site: Site, cast: Cast) -> None:
    post(site, cast.achieng.key, [(5, {"oxygen_saturation": 85})])
    post(site, cast.baraka.key, [(5, {"oxygen_saturation": 79})])
    judge()
    assert alerts(site, cast.achieng.patient_id) == []
    assert alerts(site, cast.baraka.patient_id) == [(LOW, "high", True, True)]


def test_zeros_raise_one_technical_alert_and_no_value_alert(site: Site, cast: Cast) -> None:
    worn = cast.achieng
    post(site, worn.key, [(before, {"oxygen_saturation": 0, "heart_rate": 0}) for before in range(60, 0, -5)])
    judge()
    assert alerts(site, worn.patient_id) == [("sensor_off", "low", True, True)]


def test_an_alert_ends_by_itself_and_high_waits_to_be_seen(site: Site, cast: Cast) -> None:
    medium, high = cast.achieng, cast.baraka
    back = held("oxygen_saturation", 97, seconds=20)
    post(site, medium.key, [*held("oxygen_saturation", 85, seconds=20, ending=25)])
    post(site, high.key, [*held("oxygen_saturation", 75, seconds=20, ending=25)])
    judge()
    post(site, medium.key, back)
    post(site, high.key, back)
    judge()
    assert alerts(site, medium.patient_id) == [(LOW, "medium", False, True)]
    ended = site.row(
        "SELECT ended_at IS NOT NULL, closed_at FROM alert WHERE patient_id = %s", high.patient_id
    )
    assert tuple(ended) == (True, None)


def test_what_was_over_before_we_knew_is_retrospective(site: Site, cast: Cast) -> None:
    worn = cast.achieng
    hour = 3600.0
    post(
        site,
        worn.key,
        [*held("heart_rate", 150, seconds=60, ending=hour), *held("heart_rate", 80, seconds=60)],
    )
    judge()
    assert alerts(site, worn.patient_id) == [("heart_rate_high", "high", False, False)]
    assert site.rows("SELECT 1 FROM event WHERE kind = 'AlertRaised'") == []


def test_a_late_reading_that_breaks_the_run_withdraws_the_alert(site: Site, cast: Cast) -> None:
    worn, end = cast.achieng, clock.now()
    post(site, worn.key, [(20, {"heart_rate": 130}), (2, {"heart_rate": 130})], until=end)
    judge()
    assert alerts(site, worn.patient_id) == [("heart_rate_high", "medium", True, True)]
    post(site, worn.key, [(10, {"heart_rate": 90})], until=end)
    judge()
    assert alerts(site, worn.patient_id) == [("heart_rate_high", "medium", False, True)]
    assert site.row("SELECT closed_as FROM alert")[0] == "withdrawn"


@pytest.mark.parametrize("seed", range(6))
def test_order_and_duplicates_do_not_matter(site: Site, cast: Cast, seed: int) -> None:
    """The same readings, shuffled, cut into posts, some twice, judged in between: the same open alerts."""
    chance = random.Random(seed)
    end = clock.now()
    steps = [
        *held("oxygen_saturation", 85, seconds=40, every=4, ending=70),
        *held("oxygen_saturation", 96, seconds=30, every=4, ending=38),
        *held("oxygen_saturation", 86, seconds=30, every=4, ending=2),
        *held("heart_rate", 145, seconds=20, every=2, ending=1),
    ]
    post(site, cast.achieng.key, sorted(steps, key=lambda step: -step[0]), until=end)
    judge()
    shuffled = steps + chance.sample(steps, 10)
    chance.shuffle(shuffled)
    while shuffled:
        size = chance.randint(1, 9)
        post(site, cast.baraka.key, shuffled[:size], until=end)
        shuffled = shuffled[size:]
        if chance.random() < 0.7:
            judge()
    judge()

    def state(patient_id: object) -> list[tuple[object, ...]]:
        rows = site.rows(
            'SELECT kind, priority, run_from, event_at, value, "limit" FROM alert'
            " WHERE patient_id = %s AND closed_at IS NULL AND ended_at IS NULL ORDER BY kind",
            patient_id,
        )
        return [tuple(row) for row in rows]

    assert state(cast.baraka.patient_id) == state(cast.achieng.patient_id) != []


def test_poison_is_isolated_and_said(site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """One patient whose fold fails does not hold the others, and somebody is told."""
    for worn in (cast.achieng, cast.baraka):
        post(site, worn.key, [(1, {"oxygen_saturation": 70})])
    fold_all = judging.folding.fold_all

    def poisoned(session, claims, *, now):  # type: ignore[no-untyped-def]
        if any(claim.patient_id == cast.achieng.patient_id for claim in claims):
            raise ValueError("poison")
        return fold_all(session, claims, now=now)

    monkeypatch.setattr(judging.folding, "fold_all", poisoned)
    evaluate.drain()
    assert alerts(site, cast.baraka.patient_id) == [(LOW, "high", True, True)]
    assert alerts(site, cast.achieng.patient_id) == [("judging_failed", "high", True, True)]
    monkeypatch.undo()
    post(site, cast.achieng.key, [(0.1, {"oxygen_saturation": 71})])
    judge()
    kinds = [(kind, is_open) for kind, _, is_open, _ in alerts(site, cast.achieng.patient_id)]
    assert sorted(kinds) == [("judging_failed", False), (LOW, True)]


def test_a_crash_inside_judging_leaves_the_patient_unjudged(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(site, cast.achieng.key, [(1, {"oxygen_saturation": 70})])

    class Killed(BaseException):
        """Like kill -9: nothing catches it."""

    def dies(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(judging.checkpoints, "store", dies)
    with pytest.raises(Killed):
        judge()
    monkeypatch.undo()
    assert alerts(site, cast.achieng.patient_id) == []
    judge()
    assert alerts(site, cast.achieng.patient_id) == [(LOW, "high", True, True)]


def test_a_fall_and_a_call_for_help_are_high_at_once(site: Site, cast: Cast) -> None:
    worn = cast.achieng
    at = (clock.now() - timedelta(seconds=1)).isoformat()
    body = {"readings": [], "events": [{"at": at, "kind": "fall"}, {"at": at, "kind": "help"}]}
    for _ in range(2):
        site.client.post("/api/readings/", json=body, headers={"Authorization": f"Bearer {worn.key}"})
        judge()
    assert alerts(site, worn.patient_id) == [("fall", "high", True, True), ("help", "high", True, True)]


def test_a_long_backlog_is_judged_in_pieces(site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging.folding, "ROWS", 50)
    monkeypatch.setattr(judging.folding, "CHUNK", 50)
    steps = [
        *held("heart_rate", 80, seconds=400, every=2, ending=100),
        *held("heart_rate", 130, seconds=90, every=2),
    ]
    post(site, cast.achieng.key, steps)
    judge()
    assert alerts(site, cast.achieng.patient_id) == [("heart_rate_high", "medium", True, True)]
    assert site.row("SELECT count(*) FROM vital_state WHERE unjudged_since IS NOT NULL")[0] == 0


def test_statements_do_not_grow_with_patients(site: Site, cast: Cast) -> None:
    from sqlalchemy import event

    def statements(keys: list[str]) -> int:
        for key in keys:
            post(site, key, [(0.2, {"heart_rate": 80})])
        count = 0

        def tick(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(db.engine(), "before_cursor_execute", tick)
        evaluate.judge_some()
        event.remove(db.engine(), "before_cursor_execute", tick)
        return count

    one = statements([cast.achieng.key])
    assert statements([cast.achieng.key, cast.baraka.key, cast.chebet.key]) <= one + 1
