"""The live regions: each is a topic, a permission, a query, a partial and a URL, listed once.

A region is a GET that pushes itself: the page includes its partial, its URL returns it, the socket sends it,
all drawn from the same values by the same template.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from silverwatch.domain.alerts import queries
from silverwatch.domain.wards.queries import wards_of_beds
from silverwatch.web.audience import Audience
from silverwatch.web.templating import render

Load = Callable[[Session, Sequence[UUID], datetime], Mapping[UUID, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One kind of live region. `subject` says whose id follows the name in the DOM id: `tile-<bed uuid>`.

    `load` reads the values of many at once. `every_s`: drawn again by the clock, besides its topics.
    """

    name: str
    subject: Literal["bed", "ward"]
    template: str
    variable: str
    url: str
    load: Load
    every_s: float

    def dom_id(self, subject_id: UUID) -> str:
        """The id of the region's element."""
        return f"{self.name}-{subject_id}"

    def draw(self, view: object, *, audience: Audience, now: datetime) -> str:
        """The region's element: what the page includes, the URL returns and the socket sends."""
        return render(self.template, audience, now=now, **{self.variable: view})


ALL: Final[dict[str, Region]] = {
    region.name: region
    for region in (
        Region(
            name="tile",
            subject="bed",
            template="regions/_tile.html",
            variable="tile",
            url="/beds/<uuid:subject_id>/tile",
            load=queries.tiles,
            every_s=15,
        ),
        Region(
            name="trend",
            subject="bed",
            template="regions/_trend.html",
            variable="trend",
            url="/beds/<uuid:subject_id>/trend",
            load=queries.trends,
            every_s=60,
        ),
        Region(
            name="counts",
            subject="ward",
            template="regions/_counts.html",
            variable="counts",
            url="/wards/<uuid:subject_id>/counts",
            load=queries.counts,
            every_s=15,
        ),
        Region(
            name="alarm-bar",
            subject="ward",
            template="regions/_alarm_bar.html",
            variable="alarm_bar",
            url="/wards/<uuid:subject_id>/alarm-bar",
            load=queries.alarm_bars,
            every_s=15,
        ),
        Region(
            name="board",
            subject="ward",
            template="regions/_board.html",
            variable="board",
            url="/wards/<uuid:subject_id>/board",
            load=queries.boards,
            every_s=60,
        ),
    )
}

Key = tuple[str, UUID]
"""A region's name and its subject's id."""


def parse(dom_id: str) -> Key | None:
    """The key of a DOM id such as `tile-<uuid>`; None when there is no such region."""
    name, subject = dom_id[:-37], dom_id[-36:]
    if name not in ALL or dom_id[-37:-36] != "-":
        return None
    try:
        return name, UUID(subject)
    except ValueError:
        return None


def wards_of(session: Session, keys: Iterable[Key]) -> dict[Key, UUID]:
    """The ward that each region belongs to; those of beds that do not exist are left out."""
    wanted = list(keys)
    beds = [subject for name, subject in wanted if ALL[name].subject == "bed"]
    of_bed = wards_of_beds(session, beds) if beds else {}
    found = {}
    for key in wanted:
        ward_id = of_bed.get(key[1]) if ALL[key[0]].subject == "bed" else key[1]
        if ward_id is not None:
            found[key] = ward_id
    return found
