"""For whom an endpoint that changes something works: a person with the permission, or a program with the scope."""

from api import bearer
from api.problems import Problem
from silverwatch.domain.access import Actor, Permission, Role
from silverwatch.domain.accounts.api_keys import Program
from silverwatch.web import auditing


def actor(scope: str, permission: Permission, *, as_role: Role = Role.CAREGIVER) -> tuple[Actor, bool]:
    """Who acts, and is it a program? Raises Problem 401, 403 for a key without the scope or a person who may not.

    A program acts in its wards as a caregiver would, or another role where one is given. It has no account: rows that
    name one name the account that made the key and answers for it; the audit names the key.
    """
    found = bearer.caller(scope)
    if isinstance(found, Program):
        return Actor(account_id=found.made_by, role=as_role, name=found.name, ward_ids=found.ward_ids), True
    if found.may(permission):
        return found, False
    auditing.refused("role")
    raise Problem(403, f"Your role may not {permission.value}.")
