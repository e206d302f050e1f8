"""Connections have one owner: a child of a fork opens its own, and none outlives its pool."""

import os
import warnings

from sqlalchemy import text

from silverwatch import db
from tests.conftest import Site


def test_a_child_opens_connections_of_its_own(site: Site) -> None:
    with db.transaction() as session:
        own = session.scalar(text("SELECT pg_backend_pid()"))
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn where threads run; RQ does the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        with db.transaction() as session:
            os.write(writing, str(session.scalar(text("SELECT pg_backend_pid()"))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    assert theirs != own
    with db.transaction() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) == own


def test_a_connection_in_use_while_the_pool_closes_is_closed_when_it_comes_back(site: Site) -> None:
    connection = db.engine().connect()
    driver = connection.connection.driver_connection
    assert driver is not None
    db.dispose()
    assert not driver.closed
    connection.close()
    assert driver.closed
