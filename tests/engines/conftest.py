"""Data folders that leave nothing behind, neither processes nor clusters."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from silverwatch.engines import Engines, Supervisor, discard, start_engines
from tests.engines.parts import Parent, alive, until


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    until(lambda: not _used(folder))
    discard(folder)


def _used(folder: Path) -> bool:
    records = (json.loads(path.read_text()) for path in (folder / "run").glob("*.json"))
    return bool(alive([record["pid"] for record in records]))


@pytest.fixture
def parent(data_dir: Path) -> Iterator[Callable[[str], Parent]]:
    made: list[Parent] = []

    def make(what: str) -> Parent:
        made.append(Parent(data_dir, what))
        return made[-1]

    yield make
    for each in made:
        if each.process.poll() is None:
            each.end(signal.SIGTERM)
        for stream in (each.process.stdout, each.process.stderr):
            if stream:
                stream.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Supervisor, Engines]]:
    """Engines that the tests of a module share; each test leaves them running."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    with Supervisor(folder) as supervisor:
        yield supervisor, start_engines(supervisor, folder, for_tests=True, env={})
    discard(folder)
