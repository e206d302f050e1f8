"""An administrator who keeps the house, and a caregiver of it."""

import pytest

from tests.cast import PASSWORD, People
from tests.checked import CheckedClient
from tests.conftest import Site


@pytest.fixture
def ada(site: Site, people: People) -> CheckedClient:
    """An administrator of wards A and B, signed in."""
    site.client.sign_in(people.ada, PASSWORD)
    return site.client


@pytest.fixture
def amina(site: Site, people: People) -> CheckedClient:
    """A caregiver of ward A, signed in."""
    browser = site.browser()
    browser.sign_in(people.amina, PASSWORD)
    return browser
