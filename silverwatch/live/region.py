"""What a live region is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain.access import Permission
from silverwatch.web.audience import Audience
from silverwatch.web.templating import render

Load = Callable[[Session, Sequence[UUID], datetime], Mapping[UUID, Any]]
Subject = Literal["bed", "ward", "patient", "alert", "account", "pairing"]
MOVING: Final = frozenset({"patient", "alert"})
"""Subjects whose ward changes when a patient is moved."""
UNLISTED: Final = frozenset({"alert", "account", "pairing"})
"""Subjects that a fact about a patient does not name: found among the open regions only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One kind of live region. `subject` says whose id follows the name in the DOM id: `tile-<bed uuid>`.

    `load` reads the values of many at once. `every_s`: drawn again by the clock, besides its topics.
    `permission`: what its reader must hold, besides having the subject in their scope (`may_show`).
    """

    name: str
    subject: Subject
    template: str
    variable: str
    url: str
    load: Load
    every_s: float
    permission: Permission = Permission.SEE_WARD
    shows: Callable[[Any], list[UUID]] | None = None
    """The patients in a view of a person's own region: a first look at it is noted in the audit under its name."""

    def dom_id(self, subject_id: UUID) -> str:
        """The id of the region's element."""
        return f"{self.name}-{subject_id}"

    def draw(self, view: object, *, audience: Audience, now: datetime) -> str:
        """The region's element: what the page includes, the URL returns and the socket sends."""
        return render(self.template, audience, now=now, **{self.variable: view})
