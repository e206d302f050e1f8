"""JSON for machines: knows the domain, never pages. Every error under /api/ is a problem document."""

from flask import Blueprint

from api import problems

bp = Blueprint("api", __name__)
problems.register(bp)

from api import auth, bindings, devices, ingest, medications, moves, patients, registering  # noqa: E402

__all__ = ["auth", "bindings", "bp", "devices", "ingest", "medications", "moves", "patients", "registering"]
