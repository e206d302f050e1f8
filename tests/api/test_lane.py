"""What devices have kept goes a few at a time; one reading never waits for it."""

import threading

import pytest

from api import ingest
from api.lane import LONG, Lane
from api.problems import Problem
from tests.api.posting import problem, reading, send
from tests.cast import Cast
from tests.conftest import Site


def test_short_posts_pass_while_long_ones_wait() -> None:
    lane, inside, go_on = Lane(at_once=1, waiting=2, wait_s=0.2), threading.Event(), threading.Event()

    def hold() -> None:
        with lane.turn(b" " * (LONG + 1)):
            inside.set()
            go_on.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(10)
    with lane.turn(b" " * LONG):
        pass
    with pytest.raises(Problem) as told, lane.turn(b" " * (LONG + 1)):
        pass
    assert 2 <= int(told.value.headers["Retry-After"]) <= 9
    go_on.set()
    holder.join()
    with lane.turn(b" " * (LONG + 1)):
        pass


def test_a_full_lane_stores_nothing_and_says_when_to_come_again(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "lane", Lane(at_once=1, waiting=1, wait_s=0.1))
    kept = {"readings": [reading(second, heart_rate=80) for second in range(1, 40)]}
    with ingest.lane.turn(b" " * (LONG + 1)):
        answer = send(site, cast.achieng.key, kept)
        assert int(answer.headers["Retry-After"]) >= 2
        problem(answer, 503)
        assert send(site, cast.achieng.key, reading(0.5, heart_rate=81)).status_code == 200
    assert site.row("SELECT count(*) FROM reading") == (1,)
    assert send(site, cast.achieng.key, kept).status_code == 200
    assert site.row("SELECT count(*) FROM reading") == (40,)
