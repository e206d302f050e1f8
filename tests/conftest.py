"""Real engines for every test: started once a run, one fresh database a test, cloned from a migrated template."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from flask import Flask
from psycopg import Cursor
from sqlalchemy import make_url

import api.ingest
from silverwatch import db, schema
from silverwatch.app import create_app
from silverwatch.config import Config
from silverwatch.domain.readings import service
from silverwatch.engines import Supervisor, discard, start_engines
from tests.cast import PASSWORD, Cast, People, everybody, sign_up
from tests.checked import CheckedClient

OWNER, APPLICATION, REDIS, TEMPLATE = (
    f"SILVERWATCH_TEST_{name}" for name in ("OWNER_URL", "DATABASE_URL", "REDIS_URL", "TEMPLATE")
)
SECRET = "a secret of the tests, 32 characters or more"


class TestEngines:
    """The engines of a test run; their addresses travel to the workers of xdist in the environment."""

    __test__ = False

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="silverwatch-tests-"))
        self._supervisor = Supervisor(self._folder)
        engines = start_engines(self._supervisor, self._folder, for_tests=True)
        os.environ[OWNER], os.environ[APPLICATION] = engines.owner_url, engines.database_url
        os.environ[REDIS] = engines.redis_url
        name = f"template_{uuid4().hex[:12]}"
        run_as_owner(f"CREATE DATABASE {name}")
        schema.upgrade(owner_url(name), app_url=app_url(name))
        os.environ[TEMPLATE] = name

    def stop(self) -> None:
        """Stop the engines and forget their data."""
        self._supervisor.stop()
        discard(self._folder)


def run_as_owner(*statements: str) -> None:
    """Run statements outside any transaction, as the owner, in no particular database."""
    url = make_url(os.environ[OWNER]).set(drivername="postgresql", database="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def owner_url(name: str) -> str:
    """The owner's address of a database."""
    return make_url(os.environ[OWNER]).set(database=name).render_as_string(hide_password=False)


def app_url(name: str) -> str:
    """The application's address of a database."""
    return make_url(os.environ[APPLICATION]).set(database=name).render_as_string(hide_password=False)


def pytest_configure(config: pytest.Config) -> None:
    """With xdist the controller starts the engines before its workers exist."""
    if not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", None):
        config.stash[ENGINES] = TestEngines()


def pytest_unconfigure(config: pytest.Config) -> None:
    """And stops them after the last one has gone."""
    if ENGINES in config.stash:
        config.stash[ENGINES].stop()


ENGINES = pytest.StashKey[TestEngines]()


@pytest.fixture(scope="session")
def engines() -> Iterator[None]:
    """The engines of this run."""
    if TEMPLATE in os.environ:
        yield
        return
    own = TestEngines()
    yield
    own.stop()
    for name in (OWNER, APPLICATION, REDIS, TEMPLATE):
        os.environ.pop(name, None)


@dataclass
class Site:
    """A site of its own: the application on an empty, migrated database and an empty Redis."""

    app: Flask
    config: Config
    client: CheckedClient

    def browser(self) -> CheckedClient:
        """Another browser, with cookies of its own."""
        client = self.app.test_client()
        assert isinstance(client, CheckedClient)
        return client

    def cursor(self) -> AbstractContextManager[Cursor[Any]]:
        """A psycopg cursor that commits at the end of its block."""
        return db.cursor()

    def rows(self, query: str, *params: object) -> list[Any]:
        """What a query finds now."""
        with db.cursor() as cur:
            return cur.execute(query.encode(), params or None).fetchall()

    def row(self, query: str, *params: object) -> Any:
        """The one row that a query finds now."""
        found = self.rows(query, *params)
        assert len(found) == 1, found
        return found[0]

    @property
    def env(self) -> dict[str, str]:
        """The environment of a process of this site."""
        return {
            **os.environ,
            "DATABASE_URL": self.config.database_url,
            "MIGRATION_DATABASE_URL": self.config.owner_url,
            "REDIS_URL": self.config.redis_url,
            "SECRET_KEY": self.config.secret_key,
            "SILVERWATCH_PLAIN_HTTP": "1",
            "PYTHONPATH": str(schema.MIGRATIONS.parent),
        }


def redis_address() -> str:
    """A Redis database of this xdist worker alone."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    return os.environ[REDIS].rsplit("/", 1)[0] + f"/{number}"


@contextmanager
def new_site() -> Iterator[Site]:
    """Make a site and take it away again."""
    name = f"site_{uuid4().hex[:12]}"
    # Copied as files: half the time of copying each page through the log.
    run_as_owner(f"CREATE DATABASE {name} TEMPLATE {os.environ[TEMPLATE]} STRATEGY FILE_COPY")
    with redis.Redis.from_url(redis_address()) as bus:
        bus.flushdb()
    config = Config(
        database_url=app_url(name),
        owner_url=owner_url(name),
        redis_url=redis_address(),
        secret_key=SECRET,
        secure_cookies=False,
        pool_size=24,
    )
    app = create_app(config)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.test_client_class = CheckedClient
    service.window.forget()
    api.ingest.buckets.forget()
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    try:
        yield Site(app=app, config=config, client=client)
    finally:
        app.extensions["hub"].close_all()
        db.on_commit(None)
        db.dispose()
        # A thread of the site may still hold a connection; the whole cluster goes away at the end anyway.
        with suppress(psycopg.errors.ObjectInUse):
            run_as_owner(f"DROP DATABASE {name}")


@pytest.fixture
def site(engines: None) -> Iterator[Site]:
    """An empty site."""
    with new_site() as found:
        yield found


@pytest.fixture
def cast(site: Site) -> Cast:
    """Everybody, in the site."""
    with db.transaction() as session:
        return everybody(session)


@pytest.fixture
def people(site: Site, cast: Cast) -> People:
    """Everybody's account."""
    with db.transaction() as session:
        return sign_up(session, cast)


@pytest.fixture
def amina(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward A, signed in."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client


@pytest.fixture
def bruno(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward B, signed in."""
    browser = site.browser()
    browser.sign_in(people.bruno, PASSWORD)
    return browser


def data_folder() -> Path:
    """The recorded patients. Without them a test skips loudly; where CI=true it fails."""
    folder = Path(os.environ.get("SILVERWATCH_DATA") or schema.MIGRATIONS.parent.parent / "shared" / "data")
    if not (folder / "replay").is_dir():
        missing(f"no recorded patients in {folder}: set SILVERWATCH_DATA")
    return folder / "replay"


def missing(what: str) -> None:
    """Skip, or fail where CI=true: a green run must not have looked away."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def recorded() -> Path:
    """The folder of recorded patients."""
    return data_folder()
