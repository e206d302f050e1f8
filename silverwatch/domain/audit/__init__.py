"""Who did and saw what: an append-only chain of rows."""

from silverwatch.domain.audit.service import (
    Who,
    configure,
    is_viewed,
    is_viewed_patient,
    keys,
    newest,
    record,
    record_view,
    set_who,
    who,
)

__all__ = [
    "Who", "configure", "is_viewed", "is_viewed_patient", "keys", "newest", "record", "record_view", "set_who", "who",
]  # fmt: skip
