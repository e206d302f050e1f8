"""What an act has changed on the page that asked: the same fragments as a reload would show."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.domain.alerts import whereabouts
from silverwatch.flow import ALARM_REGIONS, PATIENT_REGIONS
from silverwatch.live.region import Region
from silverwatch.live.regions import ALL
from silverwatch.web import login, pages
from silverwatch.web.hypermedia import is_htmx, partials
from silverwatch.web.templating import render

OF_SHIFT: Final = ("/shift", "/rounds")
"""Pages of a shift that show the bars of its wards; the first one shows alarms in its rows as well."""


def shown(
    *,
    patient_ids: Iterable[UUID] = (),
    ward_ids: Iterable[UUID] = (),
    alert_id: UUID | None = None,
    told: Sequence[str] = (),
) -> Response:
    """The regions of these patients and wards, for htmx; a form is led back to the page that it stood on.

    `told`: lines that the person is to read, such as whose the alarm was already.
    """
    if not is_htmx():
        back = pages.local_path(request.form.get("next")) or "/ward"
        if told and alert_id is not None and back.startswith("/alerts"):
            back = f"/alerts/{alert_id}?taken=1"
        return make_response(redirect(back, 303))
    now, reader = clock.now(), pages.audience(login.session_of_view())
    fragments = [("notice", render("components/notice.html", reader, line=line)) for line in told]
    with db.transaction(read_only=True) as session:
        for region, subjects in _regions(session, list(patient_ids), set(ward_ids), alert_id, now=now):
            views = region.load(session, subjects, now)
            fragments += [
                (region.dom_id(subject), region.draw(views[subject], audience=reader, now=now))
                for subject in subjects
                if subject in views
            ]
    return partials(fragments)


def _regions(
    session: Session, patient_ids: list[UUID], ward_ids: set[UUID], alert_id: UUID | None, *, now: datetime
) -> Iterator[tuple[Region, list[UUID]]]:
    """The regions of alarms on the page that asked (board, patient, shift, inbox), and whom they are about."""
    asked = urlsplit(request.headers.get("HX-Current-URL", ""))
    path = asked.path
    account_id = login.actor().account_id
    yield ALL["alarm-badge"], [account_id]
    if path in {f"/patients/{patient_id}" for patient_id in patient_ids}:
        yield from ((ALL[name], patient_ids) for name in PATIENT_REGIONS)
        yield ALL["staff-bar"], [account_id]
        return
    if path.startswith(OF_SHIFT):
        wards = {ward for _, ward in whereabouts.places_of(session, patient_ids, now=now).values()} | ward_ids
        yield ALL["alarm-bar"], list(wards)
        if path == OF_SHIFT[0]:
            yield ALL["shift"], [account_id]
        return
    of_inbox = path.startswith("/alerts")
    places = whereabouts.places_of(session, patient_ids, now=now).values()
    beds, wards = {bed for bed, _ in places}, {ward for _, ward in places} | ward_ids
    for name in ("counts", "alarm-list") if of_inbox else ALARM_REGIONS:
        yield ALL[name], list(beds if ALL[name].subject == "bed" else wards)
    if of_inbox and "scope=mine" in asked.query.split("&"):
        yield ALL["my-alarms"], [account_id]
    if of_inbox and alert_id is not None:
        yield ALL["alarm-detail"], [alert_id]
