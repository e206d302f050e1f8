"""What can go wrong by the caller's doing. Each interface turns these into its own form."""


class DomainError(Exception):
    """The request cannot be done; the message says what to do instead."""


class NotFoundError(DomainError):
    """It does not exist, or this actor may not see it: both look the same."""


class ConflictError(DomainError):
    """It contradicts what is stored."""
