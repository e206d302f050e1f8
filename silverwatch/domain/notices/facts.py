"""What happens to notices, in past tense."""

from dataclasses import dataclass
from uuid import UUID

from silverwatch.domain.alerts.facts import AlertFact
from silverwatch.domain.events import Fact, durable


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEscalated(AlertFact):
    """A step of the chain was taken: people are to be told."""


@durable
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeChanged(AlertFact):
    """A notice was delivered, failed for good, or goes to another channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesSeen(Fact):
    """Somebody has seen notices of theirs."""

    account_id: UUID

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Whose count has changed."""
        return (self.account_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAsked(Fact):
    """Somebody wants to see whether a channel works; if nobody hears of it, the sweep sends it a second later."""

    account_id: UUID
