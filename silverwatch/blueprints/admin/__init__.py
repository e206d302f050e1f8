"""Pages of administrators."""

from flask import Blueprint

from silverwatch.blueprints.admin import (
    access,
    audit,
    displays,
    emergencies,
    keys,
    overview,
    settings,
    users,
)

blueprint = Blueprint("admin", __name__)
for part in (overview, users, settings, access, audit, emergencies, displays, keys):
    part.register(blueprint)

__all__ = ["blueprint"]
