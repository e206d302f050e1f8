"""For operators: `/healthz` (this process), `/readyz` (everything behind it), `/version`."""

from flask import Blueprint, Response, jsonify

from silverwatch import __version__, clock, db, schema
from silverwatch.domain.alerts import parts
from silverwatch.web import gates
from silverwatch.web.ringing import ringer

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@gates.public
def healthz() -> Response:
    """This process answers."""
    return jsonify(status="ok")


@blueprint.get("/version")
@gates.public
def version() -> Response:
    """Which version runs."""
    return jsonify(version=__version__)


@blueprint.get("/readyz")
@gates.public
def readyz() -> tuple[Response, int]:
    """Is everything behind this process well? 503 names what is not."""
    problems = _problems()
    return jsonify(status="ok" if not problems else "not ready", problems=problems), 503 if problems else 200


def _problems() -> list[str]:
    problems = [] if ringer().bus.answers() else ["redis: does not answer"]
    try:
        with db.transaction(read_only=True) as session:
            connection = session.connection()
            found = schema.current(connection)
            if found != schema.head():
                problems.append(f"migrations: at {found}, {schema.head()} is needed")
                return problems
            problems += [
                f"{part.name}: {part.behind_s:.0f} s behind, or it does not run"
                for part in parts.look(session, now=clock.now())
                if part.state == "down"
            ]
    except db.UNAVAILABLE as error:
        problems.append(f"database: {type(error).__name__}")
    return problems
