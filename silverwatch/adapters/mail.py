"""The mail server: letters leave here, and only here. SMTP over TLS, or a folder of files (the demo)."""

import logging
import os
import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from silverwatch.config import Config, ConfigError

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
_PORTS: Final = {"smtp": 587, "smtps": 465}
_HERE: Final = {"localhost", "127.0.0.1", "::1"}
_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\\\"@]+@[^\s<>()\[\],;:\\\"@]+")
# Long lines stay whole: a link that is broken in two cannot be followed.
_ON_THE_WIRE: Final = SMTP.clone(max_line_length=900, cte_type="7bit")
_IN_A_FILE: Final = SMTP.clone(max_line_length=900, linesep="\n")


class MailError(Exception):
    """This letter was not taken now; later it may be."""


class Refused(MailError):
    """This letter will never be taken."""


class Away(MailError):
    """The server takes no letter at all now: it is away, or does not know us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A letter on its way out. Its id makes the Message-ID, so that a second copy is known as one."""

    id: UUID
    to: str
    subject: str
    body: str
    written_at: datetime


class Mailer:
    """Sends letters to where SMTP_URL says; raises ConfigError when it makes no sense."""

    def __init__(self, config: Config) -> None:
        self._from = _sender(config.mail_from)
        self._way = _way(config.smtp_url, greets_as=self._from.domain)

    def send(self, letter: Posted) -> None:
        """Hand one letter over; raises Refused, Away or MailError when it was not taken."""
        if not _ADDRESS.fullmatch(letter.to):
            raise Refused("The address is not one that a letter can be sent to.")
        try:
            message = EmailMessage(policy=self._way.policy)
            message["From"] = self._from
            message["To"] = letter.to
            message["Subject"] = letter.subject
            message["Date"] = format_datetime(letter.written_at)
            message["Message-ID"] = f"<{letter.id}@{self._from.domain}>"
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(letter.body)
        except (ValueError, UnicodeError) as error:
            raise Refused(f"The letter could not be put together: {error}") from error
        self._way(message, letter)


_current: Mailer | None = None


def configure(config: Config) -> None:
    """Open this process's way to the mail server; without SMTP_URL letters wait."""
    global _current
    if not config.smtp_url:
        log.warning("mail: SMTP_URL is not set: letters wait until it is. See .env.example.")
    _current = Mailer(config) if config.smtp_url else None


def current() -> Mailer | None:
    """The mailer of this process, if a mail server is set up."""
    return _current


def _sender(text: str) -> Address:
    name, address = parseaddr(text)
    if not _ADDRESS.fullmatch(address) or not address.isascii() or not text.isprintable():
        raise ConfigError(f"MAIL_FROM must be like Silver Watch <ward@hospital.example>, not {text!r}.")
    return Address(display_name=name, addr_spec=address)


def _way(url: str, *, greets_as: str) -> "_Folder | _Server":
    wrong = ConfigError(
        "SMTP_URL must be smtp://user:password@host:port, smtps://user:password@host:port or file:///folder."
    )
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise wrong from None
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        return _Folder(Path(unquote(parts.path)))
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise wrong
    return _Server(
        host=parts.hostname,
        port=port,
        tls_first=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        greets_as=greets_as,
    )


@dataclass(frozen=True, slots=True)
class _Folder:
    """One file a letter, readable by the owner alone: links in it open accounts."""

    path: Path
    policy: ClassVar = _IN_A_FILE

    def __call__(self, message: EmailMessage, letter: Posted) -> None:
        target = self.path / f"{letter.written_at:%Y%m%dT%H%M%S}-{letter.id}.eml"
        draft = target.with_suffix(".part")
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
                file.write(message.as_bytes())
            draft.replace(target)
        except OSError as error:
            raise Away(f"The folder of letters cannot be written: {error.strerror}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """A mail server; each letter has a connection of its own."""

    host: str
    port: int
    tls_first: bool
    user: str
    password: str
    greets_as: str
    policy: ClassVar = _ON_THE_WIRE

    def __call__(self, message: EmailMessage, letter: Posted) -> None:
        try:
            server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise Away(f"The mail server could not be used: {_said(error)}") from error
        try:
            server.send_message(message, to_addrs=[letter.to])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[letter.to]
            raise _refusal(code, text) from error
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            raise Refused("The mail server takes only addresses in plain letters (ASCII).") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Away(f"The mail server broke off: {_said(error)}") from error
        finally:
            # The letter was taken or not: how the server says goodbye changes nothing.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _connect(self) -> smtplib.SMTP:
        """A connection that may be used. The certificate must be good wherever there is one."""
        context = ssl.create_default_context()
        if self.tls_first:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, local_hostname=self.greets_as, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, local_hostname=self.greets_as, timeout=TIMEOUT_S)
        try:
            server.ehlo_or_helo_if_needed()
            is_private = self.tls_first
            if not is_private and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo_or_helo_if_needed()
                is_private = True
            if self.user:
                if not is_private and self.host not in _HERE:
                    raise smtplib.SMTPException("it offers no TLS, and a password is never sent in the clear")
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def _refusal(code: int, text: bytes | str) -> MailError:
    """5xx is for ever, but for policy (5.7.x): what the server does not let us do may be allowed to us later."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for_good = 500 <= code < 600 and not said.startswith("5.7.")
    return (Refused if for_good else MailError)(f"The mail server answered {code} {said}")


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__
