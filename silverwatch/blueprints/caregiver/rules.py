"""House rules: what makes noise here, and the forms that make, change and retire a rule."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session

from silverwatch import clock, db
from silverwatch.blueprints.caregiver import rule_form
from silverwatch.blueprints.caregiver.rule_form import RuleForm
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.alerts import reach, rule_changes, rule_queries, rule_replay
from silverwatch.domain.alerts.house_rule import Rule
from silverwatch.domain.alerts.rule_changes import Layer
from silverwatch.domain.alerts.rule_queries import RuleLine
from silverwatch.domain.errors import ConflictError, NotFoundError
from silverwatch.domain.wards.models import Ward
from silverwatch.domain.wards.queries import all_wards
from silverwatch.web import auditing, fields, gates, login, pages

URL: Final = "/alerts/rules"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(URL, view_func=rules)
    blueprint.add_url_rule(URL, view_func=make_rule, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/new", view_func=new_rule)
    blueprint.add_url_rule(f"{URL}/<uuid:rule_id>", view_func=rule)
    blueprint.add_url_rule(f"{URL}/<uuid:rule_id>", view_func=change_rule, methods=["POST"])
    blueprint.add_url_rule(f"{URL}/<uuid:rule_id>/retirement", view_func=retire_rule, methods=["POST"])


@gates.need(Permission.SEE_RULES)
def rules() -> Response:
    """What makes noise here?"""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        wards = _wards(session, actor)
        chosen = [ward.id for ward in wards if str(ward.id) == request.args.get("ward")]
        ward_ids = chosen or [ward.id for ward in wards]
        book = rule_queries.book(session, actor, ward_ids=ward_ids, now=now)
        limits = rule_queries.noise_of(
            session, "kind", "a.rule_id IS NULL AND NOT a.technical AND a.vital IS NOT NULL",
            ward_ids=ward_ids, now=now,
        )  # fmt: skip
    _look("rules", book)
    return pages.answer(
        "caregiver/rules.html",
        "Alarm rules",
        book=book,
        limits=sorted(limits.items(), key=lambda item: -item[1].fired),
        wards=wards,
        chosen=chosen[0] if len(chosen) == 1 else None,
        done=request.args.get("done"),
        may_make=actor.may(Permission.CHANGE_RULES),
        now=now,
    )


@gates.need(Permission.CHANGE_RULES)
def new_rule() -> Response:
    """Ask what shall raise an alarm; `patient` is whom the rule is for, from the patient's page.

    `instead_of` is the rule of a layer above that the new one begins as, and stands for.
    """
    layer = f"patient:{request.args['patient'][:40]}" if "patient" in request.args else ""
    above = fields.identity(request.args.get("instead_of"))
    if above is None:
        return _editor(RuleForm(layer=layer))
    with db.transaction(read_only=True) as session:
        line = rule_queries.one(session, login.actor(), above, now=clock.now())
    form = rule_form.written(line.rule, layer=layer, number=0) or RuleForm(layer=layer, name=line.rule.name)
    form.instead_of = str(above)
    return _editor(form)


@gates.need(Permission.CHANGE_RULES)
def make_rule() -> Response:
    """Write a new rule, or show what it would do."""
    form = rule_form.read(request.form)
    if request.form.get("do", "save") not in ("save", "24 h", "14 days"):
        return _editor(form)
    wanted = rule_form.rule_of(form)
    layer = _layer(form.layer)
    if layer is None:
        form.errors["layer"] = "Choose for whom the rule is."
    with db.transaction(read_only=True) as session:
        if layer and not rule_changes.may_change(session, login.actor(), layer, now=clock.now()):
            raise NotFoundError("There is no such ward or patient.")
    if wanted is None or layer is None or form.errors or request.form.get("do", "save") != "save":
        return _editor(form, wanted=wanted)
    if form.instead_of and not form.reason:
        form.errors["reason"] = "Say in a few words why it is another one here: others will read it."
        return _editor(form, wanted=wanted)
    try:
        with db.transaction() as session:
            made = rule_changes.make(
                session, login.actor(), wanted, layer=layer, reason=form.reason,
                instead_of=fields.identity(form.instead_of), now=clock.now(),
            )  # fmt: skip
    except ConflictError as error:
        form.errors["form"] = str(error)
        return _editor(form, wanted=wanted)
    return make_response(redirect(f"{URL}/{made}?done=made", 303))


@gates.need(Permission.SEE_RULES)
def rule(rule_id: UUID) -> Response:
    """One rule: what it says, how it came to be so, and its form for who may change it."""
    with db.transaction(read_only=True) as session:
        line = rule_queries.one(session, login.actor(), rule_id, now=clock.now())
    form = rule_form.written(line.rule, layer=_layer_words(line), number=line.version)
    return _editor(form or RuleForm(), line=line, readable=form is not None)


@gates.need(Permission.CHANGE_RULES)
def change_rule(rule_id: UUID) -> Response:
    """Write the next version, or show what it would do."""
    actor, now = login.actor(), clock.now()
    with db.transaction(read_only=True) as session:
        line = rule_queries.one(session, actor, rule_id, now=now)
        _must_be_theirs(session, actor, line, now=now)
    form = rule_form.read(request.form)
    form.layer = _layer_words(line)
    pressed = request.form.get("do", "save")
    wanted = rule_form.rule_of(form) if pressed in ("save", "24 h", "14 days") else None
    if pressed == "save" and not form.reason and not form.errors:
        form.errors["reason"] = "Say in a few words why it changes: others will read it."
    if wanted is None or form.errors or pressed != "save":
        return _editor(form, line=line, wanted=wanted)
    try:
        with db.transaction() as session:
            stored = rule_queries.stored(session, rule_id)
            rule_changes.change(
                session, actor, stored, wanted, number=form.number, reason=form.reason, now=now
            )
    except ConflictError as error:
        form.errors["form"] = str(error)
        return _editor(form, line=line, wanted=wanted)
    return make_response(redirect(f"{URL}/{rule_id}?done=changed", 303))


@gates.need(Permission.CHANGE_RULES)
def retire_rule(rule_id: UUID) -> Response:
    """From now on it raises nothing."""
    actor, now = login.actor(), clock.now()
    reason = " ".join(request.form.get("because", "").replace("\0", "").split())
    with db.transaction(read_only=True) as session:
        line = rule_queries.one(session, actor, rule_id, now=now)
        _must_be_theirs(session, actor, line, now=now)
    if not 1 <= len(reason) <= rule_changes.MOST_REASON:
        form = rule_form.written(line.rule, layer=_layer_words(line), number=line.version) or RuleForm()
        form.errors["because"] = "Say in a few words why it is retired: others will read it."
        return _editor(form, line=line)
    with db.transaction() as session:
        rule_changes.retire(session, actor, rule_queries.stored(session, rule_id), reason=reason, now=now)
    return make_response(redirect(f"{URL}?done=retired", 303))


def _must_be_theirs(session: Session, actor: Actor, line: RuleLine, *, now: datetime) -> None:
    if not rule_changes.may_change(session, actor, Layer(line.ward_id, line.patient_id), now=now):
        raise NotFoundError("There is no rule here that you may change.")


def _editor(
    form: RuleForm, *, line: RuleLine | None = None, wanted: Rule | None = None, readable: bool = True
) -> Response:
    actor, now = login.actor(), clock.now()
    pressed = request.form.get("do", "")
    with db.transaction(read_only=True) as session:
        wards = _wards(session, actor)
        place = _place(session, actor, form.layer, now=now)
        may_change = line is None or rule_changes.may_change(
            session, actor, Layer(line.ward_id, line.patient_id), now=now
        )
        versions = rule_queries.versions(session, line.id) if line else []
        above = fields.identity(form.instead_of) if line is None else None
        stands_for = rule_queries.one(session, actor, above, now=now) if above else None
        found = None
        if wanted is not None and pressed in rule_replay.SPANS and not wanted.by_clock:
            patients = _patients(session, form.layer, wards, now=now)
            found = rule_replay.replay(session, wanted, patient_ids=patients, span=pressed, now=now)
    _look("rules", [line] if line else [])
    title = line.rule.name if line else "New alarm rule"
    return pages.answer(
        "caregiver/rule.html", f"Error: {title}" if form.errors else title,
        status=422 if form.errors else 200, form=form, line=line, stands_for=stands_for,
        versions=versions, wards=wards, place=place,
        wanted=wanted, replay=found, by_clock=wanted is not None and wanted.by_clock,
        tests=rule_form.TESTS, spans=list(rule_replay.SPANS),
        may_change=may_change and readable and (line is None or line.retired_at is None),
        readable=readable, is_admin=actor.role is Role.ADMIN, done=request.args.get("done"), now=now,
    )  # fmt: skip


def _look(view: str, lines: Sequence[RuleLine]) -> None:
    patients = [line.patient_id for line in lines if line.patient_id]
    if patients:
        auditing.viewed(view, patient_ids=patients)


def _wards(session: Session, actor: Actor) -> list[Ward]:
    return [ward for ward in all_wards(session) if ward.id in actor.ward_ids]


def _place(session: Session, actor: Actor, layer: str, *, now: datetime) -> reach.Place | None:
    found = _layer(layer)
    if found is None or found.patient_id is None or not actor.may(Permission.SEE_PATIENT):
        return None
    return reach.patient_for(session, actor, found.patient_id, now=now)


def _patients(session: Session, layer: str, wards: Sequence[Ward], *, now: datetime) -> list[UUID]:
    """Whom a rule of this layer would be about, as far as the actor sees them."""
    found = _layer(layer)
    if found and found.patient_id:
        return [found.patient_id]
    ward_ids = [ward.id for ward in wards if found is None or found.ward_id in (None, ward.id)]
    return rule_replay.lying_in(session, ward_ids, now=now)


def _layer(words: str) -> Layer | None:
    kind, _, written = words.partition(":")
    if kind == "site":
        return Layer()
    try:
        found = UUID(written)
    except ValueError:
        return None
    return {"ward": Layer(ward_id=found), "patient": Layer(patient_id=found)}.get(kind)


def _layer_words(line: RuleLine) -> str:
    return "site" if line.layer == "site" else f"{line.layer}:{line.ward_id or line.patient_id}"
