"""The info file of a demo: addresses, accounts and device keys."""

import json
from pathlib import Path
from typing import Any

from silverwatch.config import ConfigError


def read_info(path: Path) -> dict[str, Any]:
    """The info file of a demo; raises ConfigError when it is not one."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is not the info file of a demo: {error}") from None
    if not isinstance(found, dict) or "base_url" not in found:
        raise ConfigError(f"{path} is not the info file of a demo.")
    return found
