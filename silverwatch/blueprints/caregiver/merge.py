"""Merge two records that are one person: find the other one, compare, say which stays. `/patients/<id>/merge`"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from silverwatch import clock, db
from silverwatch.blueprints.caregiver.patients import frame
from silverwatch.blueprints.caregiver.record import keepable
from silverwatch.domain.access import Permission, may_see_patient
from silverwatch.domain.admissions import identity, merge_views, merging
from silverwatch.domain.admissions.merge_views import Side
from silverwatch.domain.alerts.whereabouts import wards_of
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.records import notes
from silverwatch.web import auditing, binding_forms, errors, fields, gates, login, pages
from silverwatch.web.hypermedia import see

URL: Final = "/patients/<uuid:patient_id>/merge"
REASON: Final = range(5, 201)
WRONG: Final = {
    "number": "This is not the hospital number of the record that stays.",
    "born_on": "The date of birth is not that of the record that stays.",
    "family_name": "The family name is not that of the record that stays.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeForm:
    """With whom, which stays, what the wristband says, and why, as it was sent."""

    search: str = ""
    other: str = ""
    kept: str = ""
    number: str = ""
    born_on: str = ""
    family_name: str = ""
    because: str = ""
    sure: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def said(self) -> identity.Said:
        """What the wristband says."""
        born_on = binding_forms.day_of(self.born_on)
        return identity.Said(number=self.number, born_on=born_on, family_name=self.family_name)


def register(blueprint: Blueprint) -> None:
    """Add the routes, and the way from a merged record to the one that goes on."""
    blueprint.add_url_rule(URL, view_func=merge_form)
    blueprint.add_url_rule(URL, view_func=merge_patients, methods=["POST"])
    blueprint.register_error_handler(NotFoundError, _follow)


@gates.need(Permission.MERGE_PATIENTS)
def merge_form(patient_id: UUID) -> Response:
    """With which other record?"""
    return _page(patient_id, _read(request.args))


@gates.need(Permission.MERGE_PATIENTS)
def merge_patients(patient_id: UUID) -> Response:
    """They are one from now on."""
    form, actor, now = _read(request.form), login.actor(), clock.now()
    other_id, kept = fields.identity(form.other), fields.identity(form.kept)
    if other_id is None:
        return _page(patient_id, form)
    with db.transaction(read_only=True) as session:
        pair = merge_views.pair_for(session, actor, patient_id, other_id, number=form.search)
    _check(form, pair, kept)
    if not form.errors and kept is not None:
        # By itself: a mismatch is audited and counted, whatever comes of the rest.
        with db.transaction() as session:
            wrong = identity.compare(
                session, actor, patient_id=kept, said=form.said, now=now, action="patients.merge_mismatch"
            )
        form.errors.update({name: WRONG.get(name, words) for name, words in wrong.items()})
    if form.errors or kept is None:
        return _page(patient_id, form)
    gone = other_id if kept == patient_id else patient_id
    try:
        with db.transaction() as session:
            merge_views.pair_for(session, actor, patient_id, other_id, number=form.search)
            merging.merge(session, actor, kept=kept, gone=gone, because=form.because, now=now)
    except ConflictError as error:
        form.errors["form"] = str(error)
        return _page(patient_id, form)
    return see(f"/patients/{kept}/record?merged={gone}")


def _check(form: MergeForm, pair: tuple[Side, Side], kept: UUID | None) -> None:
    if kept not in {side.id for side in pair}:
        form.errors["kept"] = "Choose which record stays."
    form.errors.update(identity.missing(form.said))
    if form.born_on and form.said.born_on is None:
        form.errors["born_on"] = "Enter the date of birth as day, month and year."
    if len(form.because) not in REASON:
        form.errors["because"] = f"Say why, in {REASON.start} to {REASON.stop - 1} characters."
    if not form.sure:
        form.errors["sure"] = "Tick that it is one person. A merge cannot be undone."


def _read(sent: fields.Sent) -> MergeForm:
    most = merge_views.MAX_SEARCH
    return MergeForm(
        search=fields.line(sent, "q", most=most)[:most],
        other=sent.get("other", "")[:36],
        kept=sent.get("kept", "")[:36],
        number=binding_forms.line(sent, "number"),
        born_on=binding_forms.line(sent, "born_on"),
        family_name=binding_forms.line(sent, "family_name"),
        because=binding_forms.line(sent, "because", most=REASON.stop),
        sure=sent.get("sure") == "yes",
    )


def _page(patient_id: UUID, form: MergeForm) -> Response:
    actor, other_id = login.actor(), fields.identity(form.other)
    with db.transaction(read_only=True) as session:
        place = keepable(session, patient_id)
        written = notes.count(session, patient_id)
        pair, found = None, []
        if other_id is not None:
            pair = merge_views.pair_for(session, actor, patient_id, other_id, number=form.search)
        else:
            me = merge_views.sides(session, [patient_id])[patient_id]
            found = merge_views.others(session, actor, me, form.search)
    shown = [other_id] if pair and other_id else [row.id for row in found]
    auditing.viewed("possible duplicates", patient_ids=[patient_id, *shown])
    title = "Merge two records"
    return pages.answer(
        "caregiver/merge.html",
        f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200,
        frame=frame(actor, place, notes_written=written),
        form=form,
        pair=pair,
        found=found,
        kept=form.kept or (str(_default(pair)) if pair else ""),
    )


def _default(pair: tuple[Side, Side]) -> UUID:
    """Who lies in a bed stays, or whose readings are the more."""
    return max(pair, key=lambda side: (bool(side.here), side.readings)).id


def _follow(error: NotFoundError) -> BaseResponse:
    """A page of a record that was merged leads to the one that goes on, for who may see that."""
    signed_in, patient_id = login.signed_in(), (request.view_args or {}).get("patient_id")
    if request.method == "GET" and signed_in is not None and isinstance(patient_id, UUID):
        actor = signed_in.actor
        with db.transaction(read_only=True) as session:
            found = merge_views.survivor_of(session, patient_id)
            ward_id = wards_of(session, [found[0]], now=clock.now()).get(found[0]) if found else None
        if found and may_see_patient(actor, found[0], ward_id=ward_id):
            return redirect(f"/patients/{found[0]}/record?merged={patient_id}", 303)
    return errors.not_found(error)
