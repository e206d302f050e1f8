"""A real mail server over TCP, a certificate for it, and letters to send there."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from silverwatch import clock, db
from silverwatch.adapters import mail
from silverwatch.domain.mail import service
from tests.conftest import Site


class PostOffice:
    """Keeps what it takes; answers what `answers` says for an address."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.passwords: list[tuple[bytes, bytes]] = []
        self.host, self.port = "127.0.0.1", 0

    @property
    def url(self) -> str:
        """For SMTP_URL."""
        return f"smtp://{self.host}:{self.port}"

    @property
    def letters(self) -> list[EmailMessage]:
        """What came, as messages."""
        return [
            message_from_bytes(envelope.content, policy=policy.default)  # type: ignore[arg-type,misc]
            for envelope in self.taken
        ]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, _: Any) -> str:
        """Says yes, or what it was told to say."""
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        """Keeps the letter."""
        self.taken.append(envelope)
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        """Knows nurse:p@ss."""
        self.passwords.append((data.login, data.password))
        return AuthResult(success=(data.login, data.password) == (b"nurse", b"p@ss"))


@contextmanager
def open_office(
    *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None, needs_password: bool = False
) -> Iterator[PostOffice]:
    """A mail server until the end of the block; on a free port for 0."""
    office = PostOffice()
    controller = _AnyPort(
        office,
        hostname=host,
        port=port,
        tls_context=tls,
        authenticator=office.authenticate if needs_password else None,
        auth_require_tls=False,
    )
    controller.start()
    try:
        office.host, office.port = host, controller.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        yield office
    finally:
        controller.stop()


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        # The parent connects to the port that it was given, and that is 0 here.
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context, and the file that makes a client trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    try:
        known: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        known = x509.DNSName(name)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([known]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


NURSE = "amina@a.example"
SECRET = "https://ward.example/reset/a-token"


def use(site: Site, url: str) -> None:
    """Send letters there."""
    mail.configure(replace(site.config, smtp_url=url, mail_from="Ward A <ward@hospital.example>"))


def write(to: str = NURSE, *, subject: str = "A subject", body: str = f"Open {SECRET}\n") -> None:
    """Write a letter, in a transaction of its own."""
    with db.transaction() as session:
        service.write(session, to=to, subject=subject, body=body, now=clock.now())


def rows(site: Site) -> list[Any]:
    """Each letter, in the order of writing: attempts, was sent, was given up, waits, body, error."""
    return site.rows(
        "SELECT attempts, sent_at IS NOT NULL, failed_at IS NOT NULL, next_attempt_at IS NOT NULL, body, error"
        " FROM letter ORDER BY id"
    )


def pass_time(site: Site, by: timedelta) -> None:
    """The letters wait as if so much time had gone by."""
    with site.cursor() as cur:
        cur.execute(
            "UPDATE letter SET next_attempt_at = next_attempt_at - %s, created_at = created_at - %s", (by, by)
        )
