"""What a chain of escalation is made of, and whether it makes sense. Pure.

Times of steps count from the beginning of the alarm, or from when it began to escalate anew. The first step is at
once, and the last one repeats until somebody takes the alarm: no chain ends in nobody.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from silverwatch.domain.wards.shifts import DutyRole

Channel = Literal["web", "push", "sms", "email", "webhook"]
CHANNELS: Final[tuple[Channel, ...]] = ("web", "push", "sms", "email", "webhook")
"""From what reaches somebody soonest. `web` is always used: it is a row on their pages."""

PRIORITIES: Final = ("high", "medium", "low")
MOST_STEPS: Final = 8
LONGEST_S: Final = 24 * 3600
REPEAT_S: Final = range(60, 4 * 3600 + 1)
"""How often the last step may repeat: not so often that it is noise, not so seldom that it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Tell everybody on duty as `role`, or one person, `after_s` seconds after the beginning."""

    after_s: int
    role: DutyRole | None = None
    account_id: UUID | None = None
    channels: tuple[Channel, ...] = ("web",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The steps for alarms of a priority. `version` 0: nobody has changed what the site began with."""

    priority: str
    steps: tuple[Step, ...]
    repeat_s: int
    version: int = 0
    id: UUID | None = None
    ward_id: UUID | None = None

    def place(self, taken: int) -> int:
        """The place of the step that comes after so many were taken; the last one repeats."""
        return min(taken, len(self.steps) - 1)

    def next_at(self, place: int, *, now: datetime) -> datetime:
        """When the step after this one is due, if nobody takes the alarm."""
        if place + 1 < len(self.steps):
            return now + timedelta(seconds=self.steps[place + 1].after_s - self.steps[place].after_s)
        return now + timedelta(seconds=self.repeat_s)


def _first(*channels: Channel) -> Step:
    return Step(after_s=0, role=DutyRole.NURSE, channels=channels)


DEFAULTS: Final[Mapping[str, Chain]] = {
    # Proposals that an administrator changes: two and five minutes are what nurses can bridge at a bed.
    "high": Chain(
        priority="high",
        steps=(
            _first("web", "push"),
            Step(after_s=120, role=DutyRole.CHARGE_NURSE, channels=("web", "push")),
            Step(after_s=300, role=DutyRole.DOCTOR, channels=("web", "push", "sms")),
        ),
        repeat_s=300,
    ),
    "medium": Chain(
        priority="medium",
        steps=(
            _first("web", "push"),
            Step(after_s=600, role=DutyRole.CHARGE_NURSE, channels=("web", "push")),
        ),
        repeat_s=900,
    ),
    "low": Chain(priority="low", steps=(_first("web"),), repeat_s=3600),
}
"""What a new site begins with."""


def problems(
    steps: Sequence[Step],
    repeat_s: int,
    *,
    people: Collection[UUID],
    roles: Collection[DutyRole],
) -> dict[str, str]:
    """Field to what to do about it; empty when the chain can be used.

    `people`: accounts that can be told; `roles`: the duties that somebody can take.
    """
    found: dict[str, str] = {}
    if not steps:
        return {"form": "Add a step: an alarm that nobody is told of is none."}
    if len(steps) > MOST_STEPS:
        found["form"] = f"Use at most {MOST_STEPS} steps."
    if steps[0].after_s != 0:
        found["after_0"] = "The first step is at once: enter 0."
    for place, step in enumerate(steps):
        if place and not steps[place - 1].after_s < step.after_s <= LONGEST_S:
            found.setdefault(f"after_{place}", "Each step comes later than the one before, within a day.")
        if step.role is None and step.account_id is None:
            found[f"who_{place}"] = "Choose who is told: a chain must not lead to nobody."
        elif step.account_id is not None and step.account_id not in people:
            found[f"who_{place}"] = "This person cannot be told any more. Choose another one."
        if not set(step.channels) <= set(CHANNELS):
            found[f"channels_{place}"] = "Choose channels from the list."
    last = steps[-1]
    if last.role is not None and last.role not in roles:
        found[f"who_{len(steps) - 1}"] = (
            "Nobody can take this duty, so the chain would end in nobody. Choose a duty that somebody has."
        )
    if repeat_s not in REPEAT_S:
        found["repeat"] = "The last step repeats every 1 to 240 minutes."
    return found


def as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The steps as they are stored."""
    return [
        {
            "after_s": step.after_s,
            "role": step.role.value if step.role else None,
            "account_id": str(step.account_id) if step.account_id else None,
            "channels": list(step.channels),
        }
        for step in steps
    ]


def from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps of what is stored."""
    return tuple(
        Step(
            after_s=item["after_s"],
            role=DutyRole(item["role"]) if item["role"] else None,
            account_id=UUID(item["account_id"]) if item["account_id"] else None,
            channels=tuple(item["channels"]),
        )
        for item in stored
    )
