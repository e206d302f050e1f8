"""JSON for machines: knows the domain, never pages. Every error under /api/ is a problem document."""

from flask import Blueprint

from api import problems

bp = Blueprint("api", __name__)
problems.register(bp)

from api import (  # noqa: E402
    auth,
    bindings,
    devices,
    fleet,
    ingest,
    keeping,
    maintenance,
    measured,
    medications,
    moves,
    patients,
    registering,
)

__all__ = [
    "auth", "bindings", "bp", "devices", "fleet", "ingest", "keeping", "maintenance", "measured", "medications",
    "moves", "patients", "registering",
]  # fmt: skip
