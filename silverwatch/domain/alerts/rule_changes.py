"""Verbs on house rules: make, change, retire. Each inside the caller's transaction, each a row that stays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from silverwatch import clock
from silverwatch.domain import audit
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.alerts import reach
from silverwatch.domain.alerts.house_rule import Rule, problems
from silverwatch.domain.alerts.rule_book import decode, in_force
from silverwatch.domain.alerts.rule_models import AlarmRule, AlarmRuleVersion
from silverwatch.domain.alerts.rule_words import differences, sentence
from silverwatch.domain.errors import ConflictError, DomainError, NotFoundError

MOST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Layer:
    """Whose rule it is: the site's with neither, else a ward's or a patient's."""

    ward_id: UUID | None = None
    patient_id: UUID | None = None

    @property
    def name(self) -> str:
        """site, ward or patient."""
        return "patient" if self.patient_id else "ward" if self.ward_id else "site"


def may_change(session: Session, actor: Actor, layer: Layer, *, now: datetime) -> bool:
    """Administrators keep the rules of the site and of their wards, caregivers those of their patients."""
    if not actor.may(Permission.CHANGE_RULES):
        return False
    if layer.patient_id is None:
        return actor.role is Role.ADMIN and (layer.ward_id is None or layer.ward_id in actor.ward_ids)
    try:
        place = reach.patient_for(session, actor, layer.patient_id, now=now)
    except NotFoundError:
        return False
    return place.ward_id is not None


def make(
    session: Session,
    actor: Actor,
    rule: Rule,
    *,
    layer: Layer,
    reason: str,
    now: datetime,
    instead_of: UUID | None = None,
) -> UUID:
    """Write a new rule, `instead_of` one of a layer above where it applies.

    Raises NotFoundError for a layer that is not the actor's to change, and for what cannot be stood in for there;
    ConflictError where another one stands there already.
    """
    if not may_change(session, actor, layer, now=now):
        raise NotFoundError("There is no such ward or patient.")
    _must_be_good(rule)
    root = _root(session, instead_of, layer, now=now) if instead_of else None
    _refuse_silence(layer, root, rule)
    rule_id = clock.new_id()
    session.add(
        AlarmRule(
            id=rule_id, ward_id=layer.ward_id, patient_id=layer.patient_id, instead_of=root, version=1, created_at=now
        )
    )  # fmt: skip
    session.flush()
    _version(session, actor, rule_id, 1, rule, reason=reason, now=now)
    _note(session, "rule.made", rule_id, layer, {"rule": sentence(rule), "reason": reason})
    return rule_id


def _root(session: Session, rule_id: UUID, layer: Layer, *, now: datetime) -> UUID:
    """The highest rule in whose place this one stands, locked: nobody else puts another one there meanwhile."""
    above = session.get(AlarmRule, rule_id)
    root = (
        session.get(AlarmRule, above.instead_of, with_for_update=True)
        if above and above.instead_of
        else above
    )
    if above is None or root is None or above.retired_at is not None or layer == Layer():
        raise NotFoundError("There is no such rule.")
    session.refresh(root, with_for_update=True)
    if layer.patient_id is not None:
        applied = {UUID(key) for key, _ in in_force(session, [layer.patient_id], now=now)[layer.patient_id]}
        if above.id not in applied:
            raise ConflictError("This rule does not apply to the patient any more. Look at the rules again.")
        if above.patient_id is not None:
            raise ConflictError("The patient has their own rule here already. Change that one.")
        return root.id
    if above.ward_id is not None or above.patient_id is not None:
        raise NotFoundError("There is no such rule.")
    taken = select(AlarmRule.id).where(
        AlarmRule.instead_of == root.id, AlarmRule.ward_id == layer.ward_id, AlarmRule.retired_at.is_(None)
    )
    if session.scalar(taken) is not None:
        raise ConflictError("The ward has its own rule here already. Change that one.")
    return root.id


def change(
    session: Session, actor: Actor, stored: AlarmRule, rule: Rule, *, number: int, reason: str, now: datetime
) -> bool:
    """Write the next version; False when nothing differs. `number`: the version that the actor has seen.

    Raises ConflictError when somebody has changed or retired it since.
    """
    layer = Layer(stored.ward_id, stored.patient_id)
    if not may_change(session, actor, layer, now=now):
        raise NotFoundError("There is no such rule.")
    session.refresh(stored, with_for_update=True)
    if stored.version != number or stored.retired_at is not None:
        raise ConflictError("Somebody has changed this rule meanwhile. Look at it again before you save.")
    _must_be_good(rule)
    _refuse_silence(layer, stored.instead_of, rule)
    before = present(session, stored)
    changed = differences(before, rule)
    if not changed:
        return False
    stored.version += 1
    _version(session, actor, stored.id, stored.version, rule, reason=reason, now=now)
    _note(session, "rule.changed", stored.id, layer, {"changed": changed, "reason": reason})
    return True


def retire(session: Session, actor: Actor, stored: AlarmRule, *, reason: str, now: datetime) -> None:
    """From now on it raises nothing; its open alarms end with the next reading."""
    layer = Layer(stored.ward_id, stored.patient_id)
    if not may_change(session, actor, layer, now=now):
        raise NotFoundError("There is no such rule.")
    if stored.retired_at is None:
        stored.retired_at, stored.retired_by, stored.retired_because = now, actor.account_id, reason
        _note(session, "rule.retired", stored.id, layer, {"reason": reason})


def present(session: Session, stored: AlarmRule) -> Rule:
    """The version that holds."""
    row = session.get_one(AlarmRuleVersion, (stored.id, stored.version))
    return decode(row.rule)


def _must_be_good(rule: Rule) -> None:
    wrong = problems(rule)
    if wrong:
        raise DomainError(next(iter(wrong.values())))


def _refuse_silence(layer: Layer, instead_of: UUID | None, rule: Rule) -> None:
    """What a ward switches off stands in its book of rules; at one bed nobody would see it."""
    if layer.patient_id is not None and instead_of is not None and not rule.enabled:
        raise ConflictError("A patient's rule that stands instead of another cannot be off. Set it wider.")


def _version(
    session: Session, actor: Actor, rule_id: UUID, number: int, rule: Rule, *, reason: str, now: datetime
) -> None:
    session.add(
        AlarmRuleVersion(
            rule_id=rule_id,
            number=number,
            rule=msgspec.to_builtins(rule),
            changed_at=now,
            changed_by=actor.account_id,
            reason=reason,
        )
    )


def _note(session: Session, action: str, rule_id: UUID, layer: Layer, detail: dict[str, object]) -> None:
    patients = [layer.patient_id] if layer.patient_id else []
    audit.record(session, action, subject=("rule", rule_id), patient_ids=patients, detail=detail)
