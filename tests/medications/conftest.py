"""A caregiver at work, and one of another ward."""

import pytest

from tests.cast import PASSWORD, People
from tests.checked import CheckedClient
from tests.conftest import Site


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
