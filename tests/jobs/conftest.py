"""A mail server for whoever sends letters."""

from collections.abc import Iterator

import pytest

from silverwatch.adapters import mail
from tests.jobs.post_office import PostOffice, open_office


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """A mail server."""
    with open_office() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_mailer_is_left() -> Iterator[None]:
    yield
    mail._current = None
