"""What several tests of pages need."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from silverwatch import db
from tests.conftest import Site


@pytest.fixture
def statements(site: Site) -> Iterator[list[str]]:
    """Every statement that reaches the database."""
    found: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        found.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    yield found
    event.remove(db.engine(), "before_cursor_execute", note)
