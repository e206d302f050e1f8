"""Codes, seals and networks: what the second factor computes."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest
import segno

from silverwatch.domain.accounts import codes, second_factor
from silverwatch.domain.accounts.codes import Keys
from silverwatch.domain.accounts.signing import network_of
from silverwatch.web.factor_views import groups_of, qr_code

NOW = datetime(2026, 3, 4, 10, 0, 15, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32
ACCOUNT = UUID(int=1)
STEP = timedelta(seconds=codes.STEP_S)


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B: the last six digits of the SHA-1 column."""
    seed = b"12345678901234567890"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        moment = datetime.fromtimestamp(seconds, UTC)
        assert codes.step_that_fits(seed, code, now=moment) == seconds // 30


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_before_and_after(steps: int, fits: bool) -> None:
    seed = b"\1" * 20
    code = pyotp.TOTP(codes.as_text(seed)).at(NOW + steps * STEP)
    found = codes.step_that_fits(seed, code, now=NOW)
    assert found == (codes.step_of(NOW) + steps if fits else None)


def test_what_is_sealed_opens_with_its_key_for_its_purpose_only() -> None:
    sealed = codes.seal(b"seed", keys=[OLD], about=b"a")
    assert b"seed" not in sealed
    assert codes.seal(b"seed", keys=[OLD], about=b"a") != sealed
    assert codes.unseal(sealed, keys=[OLD], about=b"a") == codes.Opened(text=b"seed", is_old=False)
    assert codes.unseal(sealed, keys=[NEW, OLD], about=b"a") == codes.Opened(text=b"seed", is_old=True)
    assert codes.unseal(sealed, keys=[NEW], about=b"a") is None
    assert codes.unseal(sealed, keys=[OLD], about=b"b") is None
    assert codes.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), keys=[OLD], about=b"a") is None
    assert codes.unseal(b"", keys=[OLD], about=b"a") is None


def test_recovery_codes_are_easily_read_and_never_the_same() -> None:
    made = {codes.new_recovery_code() for _ in range(500)}
    assert len(made) == 500
    for code in made:
        assert codes.is_recovery(codes.plain(code))
        assert not set(code) & set("01OIL")
        assert (len(code), code[5]) == (11, "-")


def test_a_code_is_compared_without_what_people_add() -> None:
    assert codes.plain(" abcde-fgh jk\0") == "ABCDEFGHJK"
    assert codes.plain("123 456") == "123456"
    assert codes.plain("１２３４５６") == ""
    assert len(codes.plain("9" * 100_000)) == 64


def test_the_hash_of_a_recovery_code_needs_the_key_and_the_account() -> None:
    first = codes.recovery_hash("ABCDE-FGHJK", key=OLD, account_id=ACCOUNT)
    assert first == codes.recovery_hash("abcdefghjk", key=OLD, account_id=ACCOUNT)
    assert first != codes.recovery_hash("ABCDE-FGHJK", key=NEW, account_id=ACCOUNT)
    assert first != codes.recovery_hash("ABCDE-FGHJK", key=OLD, account_id=UUID(int=2))


def test_an_offer_ends_and_belongs_to_one_session() -> None:
    keys, seed, mine, other = (
        Keys(totp=[NEW, OLD], recovery=[NEW]),
        codes.new_seed(),
        UUID(int=3),
        UUID(int=4),
    )
    offered = second_factor.offer(seed, session_id=mine, keys=keys, now=NOW)
    late = NOW + second_factor.OFFER_LENGTH
    assert second_factor.taken(offered, session_id=mine, keys=keys, now=late - STEP) == seed
    assert second_factor.taken(offered, session_id=mine, keys=keys, now=late) is None
    assert second_factor.taken(offered, session_id=other, keys=keys, now=NOW) is None
    for text in ("", "x", "é", "\0", offered[:-4] + "AAAA", "A" * 5000):
        assert second_factor.taken(text, session_id=mine, keys=keys, now=NOW) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_client_counts_with_its_network(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_the_picture_is_the_code_with_its_margin() -> None:
    drawn = qr_code("otpauth://totp/x")
    dark = {
        (x, int(y))
        for begin, y, length, end in re.findall(r"M(\d+) (\d+)h(\d+)v1H(\d+)z", drawn.path)
        for x in range(int(begin), int(begin) + int(length))
        if begin == end
    }
    rows = list(segno.make("otpauth://totp/x", error="m", micro=False).matrix_iter(border=4))
    assert dark == {(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module}
    assert drawn.size == len(rows) == 33


def test_a_secret_is_typed_in_groups() -> None:
    assert groups_of("ABCDEFGHJ") == ("ABCD", "EFGH", "J")
