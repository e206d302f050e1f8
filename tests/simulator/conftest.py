"""A real HTTP server for the clients."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_SPEC = importlib.util.spec_from_file_location("ingest_server", Path(__file__).with_name("ingest_server.py"))
assert _SPEC
assert _SPEC.loader
ingest_server = sys.modules["ingest_server"] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(ingest_server)


@pytest.fixture
def server() -> Iterator[Any]:
    with ingest_server.serving(ingest_server.IngestServer()) as running:
        yield running
