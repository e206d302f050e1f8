"""What happens to letters, in past tense."""

from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.events import Fact, durable


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class LetterWritten(Fact):
    """A letter waits to be sent."""

    letter_id: UUID
