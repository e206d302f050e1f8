"""What a process without a web server needs before it works: the database, the mail, and somebody to tell."""

from silverwatch import db, flow, keys
from silverwatch.adapters import mail
from silverwatch.adapters.job_queue import JobQueue
from silverwatch.adapters.redis_bus import Bus
from silverwatch.config import Config
from silverwatch.domain import audit, models
from silverwatch.web import outgoing


def boot(config: Config, *, pool_size: int = 8) -> flow.Ringer:
    """Open the pool and register who is told after a commit."""
    # Tables name each other: all of them must be known before the first row is written.
    models.metadata.sorted_tables  # noqa: B018
    audit.configure(keys.of_audit(config))
    mail.configure(config)
    outgoing.configure(config)
    db.configure(config.database_url, pool_size=pool_size)
    ringer = flow.Ringer(bus=Bus(config.redis_url), queue=JobQueue(config.redis_url))
    db.on_commit(ringer)
    return ringer
