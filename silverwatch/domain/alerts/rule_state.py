"""How one rule stands, and the alarm of one kind that its rules make: pure and immutable, as latch.py is for limits."""

from msgspec import Struct, field

from silverwatch.domain.alerts.episode import Episode
from silverwatch.domain.alerts.latch import Run, Sample, is_settled, prolong


class Holding(Struct, frozen=True, omit_defaults=True):
    """A rule whose condition is true, or was until just now.

    `run`: the readings that raise it; `raised`: they have; `calm`: those that are ending it again. `basis`: mask
    of the NEWS2 parts that were scored while it was true.
    """

    run: Run
    raised: bool = False
    calm: Run | None = None
    basis: int = 0


class Standing(Struct, frozen=True, omit_defaults=True):
    """What goes on with one kind of alarm: its rules by key, and the alarm while one is open."""

    rules: dict[str, Holding] = field(default_factory=dict)
    episode: Episode | None = None


def step(
    holding: Holding | None, says: bool | None, *, sample: Sample, hold_s: float, present: int
) -> Holding | None:
    """The rule after one more reading that it watches. What is not known changes nothing."""
    if says is None:
        return holding
    if says:
        return _true(holding, sample=sample, hold_s=hold_s, present=present)
    if holding is None or not holding.raised:
        return None
    calm = prolong(holding.calm, sample)
    if is_settled(calm, sample):
        return None
    return Holding(holding.run, raised=True, calm=calm, basis=holding.basis)


def _true(holding: Holding | None, *, sample: Sample, hold_s: float, present: int) -> Holding:
    if holding is not None and holding.raised:
        return Holding(holding.run, raised=True, basis=holding.basis | present)
    run = prolong(holding.run if holding else None, sample)
    same = holding is not None and run.first_at == holding.run.first_at
    basis = holding.basis | present if holding is not None and same else present
    return Holding(run, raised=sample.spot or run.lasts() >= hold_s, basis=basis)
