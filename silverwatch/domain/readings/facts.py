"""What happens to readings, in past tense."""

from dataclasses import dataclass

from silverwatch.domain.events import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsStored(Fact):
    """Readings wait to be judged. Whose they are stands in `vital_state`."""
