"""docs/access.csv, the table of who gets in where, walked: every route, every role, own objects and others'.

`python -m pytest tests/security/test_access.py -k listed` needs no database; `make check` runs it. After a new route,
`SILVERWATCH_WRITE_ACCESS=1` writes what the application answers now into the table: read the difference, every
cell of it is a decision.
"""

import csv
import os
import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from silverwatch.app import create_app
from silverwatch.config import Config
from tests.cast import Cast, People
from tests.conftest import SECRET, Site
from tests.security.objects import ELSEWHERE, OWN, belongings
from tests.security.routes import Visit, Visitor, visits

TABLE = Path(__file__).resolve().parents[2] / "docs/access.csv"
ACTORS = ("anonymous", "display", "patient", "technician", "caregiver", "admin")
COLUMNS = ("route", "method", *ACTORS, *(f"{who} elsewhere" for who in ACTORS[1:]))
WORDS = {"in", "sign in", "role", "missing", "key", ""}


def rows() -> list[dict[str, str]]:
    """The table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def routes_now() -> list[tuple[Visit, str]]:
    """Every route with every method, from the code alone."""
    config = Config(
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/none",
        owner_url="postgresql+psycopg://nobody@127.0.0.1:1/none",
        redis_url="redis://127.0.0.1:1/0",
        secret_key=SECRET,
    )
    return [(visit, method) for visit in visits(create_app(config)) for method in sorted(visit.methods)]


def test_every_route_is_listed_and_no_other() -> None:
    listed = [(row["route"], row["method"]) for row in rows()]
    assert sorted(listed) == sorted((visit.rule, method) for visit, method in routes_now())
    assert len(listed) == len(set(listed))
    assert {word for row in rows() for name, word in row.items() if name not in {"route", "method"}} <= WORDS


@pytest.mark.parametrize("who", ACTORS)
def test_who_gets_in_where(site: Site, cast: Cast, people: People, who: str) -> None:
    found: dict[tuple[str, str, str], str] = {}
    visitor = Visitor(site, people, who)
    for relation, column in ((OWN, who), (ELSEWHERE, f"{who} elsewhere")):
        if column not in COLUMNS:
            continue
        if relation is ELSEWHERE:
            _leave_ward_b(site, cast)
        for visit in visits(site.app):
            if relation is ELSEWHERE and not visit.names:
                continue
            for method in sorted(visit.methods):
                found[visit.rule, method, column] = _ask(
                    site, cast, people, who, relation, visitor, visit, method
                )
    if os.environ.get("SILVERWATCH_WRITE_ACCESS"):
        _write(found)
    wanted = {
        (row["route"], row["method"], column): row[column]
        for row in rows()
        for column in (who, f"{who} elsewhere")
        if column in row and (row[column] or (row["route"], row["method"], column) in found)
    }
    assert found == wanted


def _leave_ward_b(site: Site, cast: Cast) -> None:
    """Nobody here belongs to it; the administrator did until now, and may administer it from outside."""
    with site.cursor() as cur:
        cur.execute(
            "DELETE FROM membership WHERE ward_id = %s AND account_id IN"
            " (SELECT id FROM account WHERE role = 'admin')",
            (cast.chebet.ward_id,),
        )


def _ask(
    site: Site,
    cast: Cast,
    people: People,
    who: str,
    relation: str,
    visitor: Visitor,
    visit: Visit,
    method: str,
) -> str:
    """What this visit comes to; a missing object answers with the same bytes whether it exists or not."""
    objects = belongings(site, cast, people, who, relation, visitor)
    answer = visitor.visit(visit, method, objects)
    word = classified(answer)
    if word == "missing" and relation is ELSEWHERE:
        none = visitor.visit(visit, method)
        assert (none.status_code, _shown(none)) == (answer.status_code, _shown(answer)), visit.rule
    answer.close()
    return word


def _shown(answer: TestResponse) -> str:
    """What it says, without the token of its forms, which is written differently each time."""
    return re.sub(r'(X-CSRFToken": "|csrf_token" value=")[^"]+', "", answer.get_data(as_text=True))


def classified(answer: TestResponse) -> str:
    """An answer in the words of the table."""
    if answer.status_code == 303 and (answer.location or "").partition("?")[0] == "/login":
        return "sign in"
    return {401: "key", 403: "role", 404: "missing"}.get(answer.status_code, "in")


def _write(found: dict[tuple[str, str, str], str]) -> None:
    table = {(row["route"], row["method"]): row for row in rows()} if TABLE.exists() else {}
    fresh = {}
    for visit, method in routes_now():
        row = table.get((visit.rule, method)) or dict.fromkeys(COLUMNS, "")
        fresh[visit.rule, method] = row | {"route": visit.rule, "method": method}
    for (rule, method, column), word in found.items():
        fresh[rule, method][column] = word
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(fresh.values())
