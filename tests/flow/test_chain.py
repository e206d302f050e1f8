"""Each part is killed once on the way from a breach to the people: everything happens, and everybody is told.

The long form, with every pair at every point and the times, is `python -m benchmarks.chain`.
"""

from collections.abc import Iterator
from random import Random

import pytest

from benchmarks.chain import backlog, report
from benchmarks.chain.__main__ import short_plan
from benchmarks.chain.gates import Gates
from benchmarks.chain.parts import PARTS
from benchmarks.chain.rounds import PATIENTS, play
from benchmarks.chain.stage import Stage, open_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A site with people on duty, and receivers."""
    with open_stage() as found:
        yield found


@pytest.mark.slow
def test_each_part_dies_once_and_every_breach_reaches_everybody(stage: Stage) -> None:
    gates = Gates(stage.site.info["owner_url"].replace("+psycopg", "", 1))
    plan = short_plan()
    assert {part for _, parts in plan for part in parts} == set(PARTS)
    for point, parts in plan:
        found = play(stage, gates, point, parts, dice=Random(point))
        print(report.line(found))
        assert found.problems == []
        assert (found.breaches, found.alerts) == (PATIENTS, PATIENTS)
        # Two nurses and a doctor, by webhook and letter.
        assert found.arrived == found.notices == PATIENTS * 6
        assert found.doubles <= found.died


@pytest.mark.slow
def test_a_backlog_goes_out_and_what_is_too_old_is_closed(stage: Stage) -> None:
    found = backlog.run(stage, size=200, dice=Random(1))
    print("\n".join(report.backlog_lines(found)))
    assert found.arrived == found.young > 50
    assert found.closed > 50
    assert len(found.new_s) == backlog.NEW * 2
