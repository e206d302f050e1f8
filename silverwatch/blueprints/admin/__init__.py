"""Pages of administrators."""

from flask import Blueprint

from silverwatch.blueprints.admin import (
    access,
    audit,
    chains,
    checks,
    displays,
    doses,
    drills,
    duty,
    emergencies,
    keys,
    limits,
    notices,
    overview,
    settings,
    users,
    wards,
)

blueprint = Blueprint("admin", __name__)
for part in (
    overview,
    users,
    settings,
    access,
    audit,
    emergencies,
    displays,
    doses,
    keys,
    limits,
    duty,
    chains,
    checks,
    drills,
    notices,
    wards,
):
    part.register(blueprint)

__all__ = ["blueprint"]
