"""What a data folder remembers of its engines: random passwords and the last ports, in `engines.json` (mode 0600)."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from silverwatch.engines.errors import EngineError


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """One for each role of the engines; safe inside a URL as they are."""

    postgres: str = field(default_factory=_password)
    owner: str = field(default_factory=_password)
    app: str = field(default_factory=_password)
    valkey: str = field(default_factory=_password)


@dataclass(slots=True, kw_only=True)
class State:
    """The memory of one data folder; `save` after a change."""

    folder: Path
    passwords: Passwords = field(default_factory=Passwords)
    ports: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> "State":
        """Read the state of a data folder, or make and keep a new one."""
        path = folder / "engines.json"
        if not path.exists():
            state = cls(folder=folder)
            state.save()
            return state
        try:
            kept = json.loads(path.read_text())
            return cls(folder=folder, passwords=Passwords(**kept["passwords"]), ports=dict(kept["ports"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EngineError(
                f"{path} is not readable: restore it from a backup, or use another data folder."
            ) from error

    def save(self) -> None:
        """Keep the state: all of it or nothing, readable for its owner only."""
        text = json.dumps({"passwords": asdict(self.passwords), "ports": self.ports})
        write_private(self.folder / "engines.json", text)


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner can read."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
