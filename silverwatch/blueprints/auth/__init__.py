"""Pages of everybody: getting in, staying in, one's own account, how the screen looks."""

from flask import Blueprint

from silverwatch.blueprints.auth import display, factors, joining, profile, sessions, signing, walls

blueprint = Blueprint("auth", __name__)
for part in (signing, factors, joining, profile, sessions, walls, display):
    part.register(blueprint)

__all__ = ["blueprint"]
