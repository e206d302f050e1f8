"""The first account of a site: `silverwatch create-admin`. There is no default account and no default password."""

import getpass
import sys
from collections.abc import Callable

from sqlalchemy.exc import ProgrammingError

from silverwatch import clock, db, keys
from silverwatch.config import Config, ConfigError
from silverwatch.domain import audit
from silverwatch.domain.accounts import people
from silverwatch.domain.accounts.passwords import MAX_PASSWORD
from silverwatch.domain.errors import DomainError


def create(config: Config, *, email: str, name: str, password: str) -> str:
    """Make the first administrator: where to sign in. Raises ConfigError, in one line, when that cannot be."""
    db.configure(config.database_url, pool_size=1)
    audit.configure(keys.of_audit(config))
    try:
        with db.transaction() as session:
            people.create_first_admin(session, email=email, name=name, password=password, now=clock.now())
    except DomainError as error:
        raise ConfigError(str(error)) from error
    except ProgrammingError as error:
        raise ConfigError("The tables are not there yet. Run `silverwatch migrate` first.") from error
    except db.UNAVAILABLE as error:
        raise ConfigError("The database does not answer. Check DATABASE_URL, then try again.") from error
    finally:
        db.dispose()
    return f"{config.base_url}/login"


def read_password(ask: Callable[[str], str] = getpass.getpass) -> str:
    """The password, asked for twice at a terminal, else the first line of stdin; never an argument, which others see.

    Raises ConfigError when the two differ or there is none.
    """
    if not sys.stdin.isatty():
        line = sys.stdin.readline(MAX_PASSWORD + 2).rstrip("\r\n")
        if not line:
            raise ConfigError("Give the password on the first line of stdin.")
        return line
    password = ask("Password: ")
    if password != ask("The same again: "):
        raise ConfigError("The two passwords differ. Try again.")
    return password
