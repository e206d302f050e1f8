"""The house keeps its promises: every view has a gate, every fact a way, every table a migration."""

import importlib
import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, exc, inspect, text

from silverwatch import db, schema
from silverwatch.domain import models
from silverwatch.domain.events import Fact
from silverwatch.flow import FLOW, TOPICS
from silverwatch.live.regions import ALL
from silverwatch.web.gates import gate_of
from silverwatch.web.templating import REGION_URLS, ROOT
from tests.cast import PASSWORD, Cast, People
from tests.conftest import Site

IDS = {"subject_id": "bed_or_ward", "alert_id": "none", "patient_id": "patient", "slug": "a"}


def test_every_view_has_a_gate(site: Site) -> None:
    without = [
        rule.endpoint
        for rule in site.app.url_map.iter_rules()
        if gate_of(site.app.view_functions[rule.endpoint]) is None
    ]
    assert without == []


def facts(cls: type[Fact] = Fact) -> set[str]:
    """The names of every fact that can happen: what has nothing below it. (A slotted dataclass is made twice.)"""
    names = {child.__name__ for child in cls.__subclasses__()}
    below = {
        name: {n for c in cls.__subclasses__() if c.__name__ == name for n in facts(c)} for name in names
    }
    return {leaf for name, leaves in below.items() for leaf in (leaves or {name})}


def test_every_fact_has_a_way_and_every_way_leads_somewhere() -> None:
    assert facts() == set(TOPICS)
    assert len(TOPICS) == len(FLOW)
    for route in FLOW.values():
        for job in route.jobs:
            module, _, name = job.rpartition(".")
            assert callable(getattr(importlib.import_module(module), name))
        assert set(route.regions) <= set(ALL)


def test_regions_say_the_address_that_they_have() -> None:
    for region in ALL.values():
        assert region.url.replace("<uuid:subject_id>", "{id}") == REGION_URLS[region.name]


def test_models_and_migrations_agree(site: Site) -> None:
    script = ScriptDirectory(str(schema.MIGRATIONS))
    assert script.get_heads() == [schema.head()]
    engine = create_engine(site.config.owner_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda _, name, kind, *__: not str(name).startswith("reading_2")},
        )
        assert compare_metadata(context, models.metadata) == []
    engine.dispose()


def test_the_first_migration_can_be_taken_back(site: Site) -> None:
    from alembic import command

    engine = create_engine(site.config.owner_url)
    with engine.connect() as connection:
        config = schema._alembic(connection)
        command.downgrade(config, "base")
        connection.commit()
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


def test_the_application_may_not_change_the_schema(site: Site) -> None:
    for statement in (
        "CREATE TABLE mine (id int)",
        "DROP TABLE alert",
        "UPDATE alembic_version SET version_num = 'x'",
    ):
        with pytest.raises(exc.ProgrammingError, match=r"permission denied|must be owner"):
            with db.transaction() as session:
                session.execute(text(statement))


def test_unique_constraints_of_readings_contain_the_patient(site: Site) -> None:
    """So that the table can be distributed by patient."""
    rows = site.rows(
        "SELECT i.indexrelid::regclass::text, array_agg(a.attname::text) FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indrelid = 'reading'::regclass AND i.indisunique GROUP BY 1"
    )
    assert rows
    assert all("patient_id" in columns for _, columns in rows)


def test_eight_weeks_are_prepared_and_none_is_default(site: Site) -> None:
    bounds = site.rows(
        "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'reading'::regclass"
    )
    assert len(bounds) == 17
    assert all("DEFAULT" not in bound for (bound,) in bounds)


TRACES = {"audit_entry", "login_session", "throttle_bucket"}
"""What looking leaves behind: who looked, and that somebody is there."""


def test_reading_a_page_changes_no_business_data(site: Site, cast: Cast, people: People) -> None:
    """Every GET of every role, twice: all tables but the traces are as before."""
    ids = {"bed": cast.achieng.bed_id, "ward": cast.achieng.ward_id, "patient": cast.achieng.patient_id}
    paths = []
    for rule in site.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.websocket and rule.endpoint != "static":
            kind = "ward" if "/wards/" in rule.rule else ("bed" if "/beds/" in rule.rule else "patient")
            path = re.sub(r"<uuid:\w+>", str(ids[kind]), rule.rule).replace("<slug>", "a")
            paths.append(re.sub(r"<[^>]+>", "x", path))
    assert len(paths) > 12
    for email in (people.amina, people.ada, people.tekla, people.patience):
        browser = site.browser()
        browser.sign_in(email, PASSWORD)
        before = contents(site)
        for path in paths * 2:
            assert browser.get(path).status_code < 500 or path == "/readyz", path
        assert contents(site) == before


def contents(site: Site) -> dict[str, int]:
    """A hash of every table."""
    return {
        name: site.row(f'SELECT coalesce(sum(hashtext(t::text)), 0) + count(*) FROM "{name}" t')[0]
        for name in models.metadata.tables.keys() - TRACES
        if name != "heartbeat"
    }


def test_every_template_is_used() -> None:
    code = "".join(path.read_text() for path in ROOT.rglob("*.py"))
    templates = {
        str(path.relative_to(ROOT / "templates")): path.read_text()
        for path in (ROOT / "templates").rglob("*.html")
    }
    everything = code + "".join(templates.values())
    assert [name for name in templates if f'"{name}"' not in everything] == []


def test_nothing_names_a_package_index() -> None:
    root = schema.MIGRATIONS.parent
    for name in ("requirements.lock", "pyproject.toml", "Makefile", ".ci/run"):
        assert "://" not in Path(root / name).read_text().replace("http://127", ""), name
