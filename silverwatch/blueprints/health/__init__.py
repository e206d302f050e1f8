"""For operators: `/healthz` (this process), `/readyz` (everything behind it), `/version`."""

from flask import Blueprint, Response, jsonify

from silverwatch import __version__, clock, db, schema
from silverwatch.domain.alerts import queries
from silverwatch.domain.readings import partitions
from silverwatch.web import gates
from silverwatch.web.ringing import ringer

blueprint = Blueprint("health", __name__)

LAG_LIMIT_S = 10.0
WEEKS_AHEAD = 2


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
            lag_s = queries.judge_lag_s(session, now=clock.now())
            if lag_s > LAG_LIMIT_S:
                problems.append(f"judging: {lag_s:.0f} s behind, or no scheduler runs")
            if partitions.weeks_ahead(connection, now=clock.now()) < WEEKS_AHEAD:
                problems.append("partitions: fewer than two weeks ahead")
    except db.UNAVAILABLE as error:
        problems.append(f"database: {type(error).__name__}")
    return problems
