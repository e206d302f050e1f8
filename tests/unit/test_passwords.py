"""What may become a password, and what may not. No session and no clock."""

import pytest

from silverwatch.domain.accounts import passwords
from silverwatch.domain.accounts.entries import email_of, name_of
from silverwatch.domain.accounts.passwords import MAX_PASSWORD, TOO_COMMON, check_new, fits, hash_new
from silverwatch.domain.errors import DomainError
from tests.cast import PASSWORD


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "twelve signs",
        "onlysmallletters",
        "73150284962 8",
        "ääääößüé ñandú 水",
        "🐘🌧️🦒🌻🐝🪁🧭🪘🎏🧩🪶🫖",
        "ward of the crooked silver spoon",
        "a" * 20 + "bcdefghij" * 20,
        'quotes " and <b> and \0 too',
    ],
)
def test_any_characters_without_rules_of_composition(password: str) -> None:
    check_new(password, email="amina@a.example", name="Amina Yusuf")
    kept = hash_new(password)
    assert fits(kept, password)
    assert not fits(kept, password + " ")
    assert not fits(kept, password.swapcase()) or password.swapcase() == password


def test_the_length_is_12_to_256() -> None:
    check_new("qx7 lamp fir")
    check_new(("qx7 lamp fir" * 22)[:MAX_PASSWORD])
    for password in ("", "qx7 lamp fi", "qx7 lamp fir" * 22):
        with pytest.raises(DomainError, match="12 to 256"):
            check_new(password)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "PassWord1234",
        "P@ssw0rd2026",
        "123456789012",
        "qwertyuiop[]",
        "1qaz2wsx3edc",
        "QazWsxEdcRfv",
        "iloveyouforever",
        "correct horse battery staple",
        "hakunamatata",
        "dragon dragon",
        "dragondragondragon",
        "!!Football!!2024",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcab",
        "            ",
        "silverwatch2026",
    ],
)
def test_breached_and_common_ones_are_refused_however_they_are_dressed(password: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_new(password)
    assert str(refused.value) == TOO_COMMON


def test_the_three_thousand_most_common_ones_are_in_the_list() -> None:
    """Those with 12 characters or more are refused alone; shorter ones with anything that is usually put behind."""
    common = passwords._common()
    assert len(common) > 15_000
    for word in ("123456", "password", "qwerty", "monkey", "dragon", "letmein", "sunshine", "trustno1"):
        assert word in common
    for word in ("monkey", "letmein", "sunshine"):
        with pytest.raises(DomainError):
            check_new(f"{word}!2345678"[: len(word) + 8].ljust(12, "9"))


def test_ones_own_address_and_this_place_are_no_password() -> None:
    with pytest.raises(DomainError, match="does not contain your e-mail"):
        check_new("xx Amina.Y 4711 qr", email="amina.y@a.example")
    for password in ("Silver Ward Watch!", "HospitalNurse77x", "Yusuf Amina Yusuf"):
        with pytest.raises(DomainError, match="little more than"):
            check_new(password, name="Amina Yusuf")
    check_new("Yusuf Amina Yusuf", name="Somebody Else")
    check_new("a stone in the well", email="a@a.example", name="A Li")


def test_nothing_is_cut_off_before_it_is_compared() -> None:
    longest = ("qx7 lamp fir" * 22)[:MAX_PASSWORD]
    kept = hash_new(longest)
    assert fits(kept, longest)
    assert not fits(kept, longest + "x")
    assert not fits(kept, longest[:-1])


def test_no_text_can_break_it() -> None:
    kept = hash_new(PASSWORD)
    for password in ("", "\ud800" * 20, "\0" * 20, "x" * 2_000_000):
        assert not fits(kept, password)
        assert not fits(None, password)
    odd = "\ud800 odd but long enough"
    assert fits(hash_new(odd), odd)


def test_an_account_without_a_password_costs_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    class Hasher:
        def hash(self, password: object) -> str:
            return "x"

        def verify(self, kept: str, password: bytes) -> bool:
            compared.append(password)
            return True

    monkeypatch.setattr(passwords, "_hasher", Hasher())
    monkeypatch.setattr(passwords, "_nobody", lambda: "x")
    assert not fits(None, PASSWORD)
    assert not fits("x", "y" * 500)
    assert compared == [PASSWORD.encode(), b"y" * MAX_PASSWORD]


@pytest.mark.parametrize(
    "text",
    [
        "", "amina", "@a.example", "amina@", "amina@localhost", "amina@@a.example", "a b@a.example",
        "amina@a..example", "amina@-a.example", "amina@a.example\r\nBcc: all@a.example", "amina@a.example, b@a.example",
        "Amina <amina@a.example>", "amina\0@a.example", "ämina@a.example", "x" * 65 + "@a.example",
        "a@" + "b." * 130 + "example", "\ud800@a.example", "a@" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(DomainError, match="e-mail address"):
        email_of(text)


def test_addresses_are_kept_in_lower_case() -> None:
    assert email_of(" Amina.Yusuf+ward@A.Example ") == "amina.yusuf+ward@a.example"


def test_names_are_of_every_kind_but_have_no_control_characters() -> None:
    for name in ("Amina Yusuf", "Ngũgĩ wa Thiong'o", "李", "می\u200cخواهم", "O'Neil & Sons <b>", "x" * 120):
        assert name_of(f" {name} ") == name
    for text in ("", "   ", "x" * 121, "a\0b", "a\nb", "a\u202eb", "a\ud800b", "x" * 2_000_000):
        with pytest.raises(DomainError, match="name"):
            name_of(text)
