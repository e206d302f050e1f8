"""A site on a port, a broker, and firmware."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.mosquitto import Broker, Firmware
from tests.clients.serving import Served, serving
from tests.conftest import Site


@pytest.fixture
def served(site: Site) -> Iterator[Served]:
    """The site on a port."""
    with serving(site) as found:
        yield found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of one's own."""
    found = Broker(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def firmware(broker: Broker) -> Iterator[Firmware]:
    """Devices that publish to it."""
    found = Firmware(broker)
    yield found
    found.close()
