"""What an act has changed on the screens: the same fragments as a reload would show."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain.alerts import queries
from silverwatch.flow import ALARM_REGIONS, PATIENT_REGIONS
from silverwatch.live.regions import ALL, Region
from silverwatch.web import login, pages
from silverwatch.web.hypermedia import is_htmx, partials


def shown(
    *, patient_ids: Iterable[UUID] = (), ward_ids: Iterable[UUID] = (), back: str = "/ward"
) -> Response:
    """The regions of these patients and wards, for htmx; a form is led back to the page that it stood on."""
    if not is_htmx():
        return make_response(redirect(pages.local_path(request.form.get("next")) or back, 303))
    now, reader = clock.now(), pages.audience(login.session_of_view())
    fragments = []
    with db.transaction(read_only=True) as session:
        for region, subjects in _regions(session, list(patient_ids), set(ward_ids), now=now):
            views = region.load(session, subjects, now)
            fragments += [
                (region.dom_id(subject), region.draw(views[subject], audience=reader, now=now))
                for subject in subjects
                if subject in views
            ]
    return partials(fragments)


def _regions(
    session: Session, patient_ids: list[UUID], ward_ids: set[UUID], *, now: datetime
) -> Iterator[tuple[Region, list[UUID]]]:
    """The regions of alarms on the page that asked, board or patient, and whom they are about."""
    path = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if path in {f"/patients/{patient_id}" for patient_id in patient_ids}:
        yield from ((ALL[name], patient_ids) for name in PATIENT_REGIONS)
        return
    places = queries.places_of(session, patient_ids, now=now).values()
    beds, wards = {bed for bed, _ in places}, {ward for _, ward in places} | ward_ids
    for name in ALARM_REGIONS:
        yield ALL[name], list(beds if ALL[name].subject == "bed" else wards)
