"""A caregiver of ward A, as an actor and in a browser."""

import pytest

from silverwatch.domain.access import Actor
from tests.cast import PASSWORD, People
from tests.checked import CheckedClient
from tests.conftest import Site
from tests.duty.crew import actor_of


@pytest.fixture
def nurse(site: Site, people: People) -> Actor:
    """A caregiver of ward A."""
    return actor_of(people.amina)


@pytest.fixture
def amina(site: Site, people: People) -> CheckedClient:
    """The same, signed in."""
    site.client.sign_in(people.amina, PASSWORD)
    return site.client
