"""Pure: a proposal for the limits of a layer: what it would change, what it loosens, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from silverwatch.domain.alerts.limit_cells import (
    Key,
    Layer,
    Owned,
    Setting,
    Settings,
    applied,
    differences,
    is_looser,
    problems,
    settings_of,
)
from silverwatch.domain.alerts.limits import Limits
from silverwatch.domain.errors import DomainError

LONGEST: Final = timedelta(days=14)
"""A patient's looser limits are looked at again after this time at the latest (proposal)."""
MAX_REASON: Final = 200


class LimitsError(DomainError):
    """These limits cannot be set; `problems` says what to do at which cell, or at `reason` and `until`."""

    def __init__(self, problems: Mapping[Key | str, str]) -> None:
        super().__init__(next(iter(problems.values())))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose limits: the site's, a ward's or a patient's."""

    layer: Layer
    ward_id: UUID | None = None
    patient_id: UUID | None = None

    @classmethod
    def site(cls) -> Self:
        return cls("site")

    @classmethod
    def of_ward(cls, ward_id: UUID) -> Self:
        return cls("ward", ward_id=ward_id)

    @classmethod
    def of_patient(cls, patient_id: UUID) -> Self:
        return cls("patient", patient_id=patient_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a scope would set, not yet stored. `base`: what applies where it sets nothing; `own`: what it sets now.

    `number`: of the version that stands, 0 before the first.
    """

    scope: Scope
    base: Limits
    own: Owned
    wanted: Settings
    number: int = 0

    @property
    def before(self) -> Limits:
        return applied(self.base, {key: own.setting for key, own in self.own.items()})

    @property
    def after(self) -> Limits:
        return applied(self.base, self.wanted)

    def changed(self) -> list[Key]:
        """The cells that would be set otherwise than now, or no more."""
        return differences({key: own.setting for key, own in self.own.items()}, self.wanted)

    def loosened(self) -> list[Key]:
        """The cells that change and would alarm less than what they would inherit."""
        base = settings_of(self.base)
        return [
            key
            for key in self.changed()
            if key in self.wanted and is_looser(key.cell, self.wanted[key], base[key])
        ]

    def lines(self) -> list[dict[str, Any]]:
        """What would apply otherwise, as it is kept with the version: values, `off`, or None for no limit."""
        before, after = settings_of(self.before), settings_of(self.after)
        return [
            {"vital": key.vital, "cell": key.cell, "before": _said(before[key]), "after": _said(after[key])}
            for key in differences(before, after)
        ]

    def errors(self, *, reason: str, until: datetime | None, now: datetime) -> dict[Key | str, str]:
        """What is to be put right before this can be set; empty when nothing is."""
        found: dict[Key | str, str] = dict(problems(self.after, keys=self.changed()))
        if not reason.strip():
            found["reason"] = "Say in a few words why."
        elif len(reason) > MAX_REASON:
            found["reason"] = f"Write at most {MAX_REASON} characters."
        is_patient = self.scope.layer == "patient"
        if until is not None and until <= now:
            found["until"] = "Choose an end that is still to come."
        elif is_patient and self.loosened() and until is None:
            found["until"] = "Choose until when: these limits are looser than the ward's."
        elif is_patient and until is not None and until > now + LONGEST + timedelta(minutes=1):
            found["until"] = f"Choose an end within the next {LONGEST.days} days."
        return found


def _said(setting: Setting) -> float | str | None:
    return "off" if setting.off else setting.value
