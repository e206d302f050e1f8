"""Tokens that an attacker might send, by what they try. Made by hand: a library refuses to write half of these."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from silverwatch import clock, keys
from tests.cast import PASSWORD
from tests.conftest import Site

Forge = Callable[[Site, dict[str, Any]], str]


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def signed(header: Any, claims: Any, key: bytes, digest: Any = hashlib.sha256) -> str:
    """By hand: a library would refuse to write half of these."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(key, text.encode(), digest))}"


def own_key(site: Site) -> bytes:
    return keys.of(site.config, "jwt")[0]


def header(**changes: Any) -> Forge:
    """Signed with the true key, with another header."""
    return lambda site, tokens: signed(
        {**opened(tokens["access"])[0], **changes}, opened(tokens["access"])[1], own_key(site)
    )


def claims(**changes: Any) -> Forge:
    """Signed with the true key, with other claims; None takes one away."""

    def forge(site: Site, tokens: dict[str, Any]) -> str:
        head, body = opened(tokens["access"])
        body = {name: value for name, value in {**body, **changes}.items() if value is not None}
        return signed(head, body, own_key(site))

    return forge


def with_key(key: bytes, **changes: Any) -> Forge:
    """Signed with another key."""

    def forge(site: Site, tokens: dict[str, Any]) -> str:
        head, body = opened(tokens["access"])
        return signed({**head, **changes}, body, key)

    return forge


def without_signature(alg: str) -> Forge:
    def forge(site: Site, tokens: dict[str, Any]) -> str:
        head, body = opened(tokens["access"])
        return f"{part({**head, 'alg': alg})}.{part(body)}."

    return forge


def as_rsa(site: Site, tokens: dict[str, Any]) -> str:
    """RS256 with a key of the attacker, who also says where it is to be found."""
    head, body = opened(tokens["access"])
    return jwt.encode(body, rsa.generate_private_key(65537, 2048), algorithm="RS256",
                      headers={**head, "alg": "RS256", "jku": "https://evil.example/keys"})  # fmt: skip


def confused(site: Site, tokens: dict[str, Any]) -> str:
    """HS256 with a public RSA key as its secret (CVE-2022-29217)."""
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return signed(*opened(tokens["access"]), pem)


def changed(site: Site, tokens: dict[str, Any]) -> str:
    """Another account in the claims, with the signature of before."""
    head, _, sign = tokens["access"].split(".")
    return f"{head}.{part({**opened(tokens['access'])[1], 'sub': str(uuid4())})}.{sign}"


def of_other_purpose(site: Site, tokens: dict[str, Any]) -> str:
    """Signed with the key of another purpose of the same site."""
    return signed(*opened(tokens["access"]), keys.of(site.config, "totp")[0])


def browser_session(site: Site, tokens: dict[str, Any]) -> str:
    """A true signature over the id of the same person's browser session: only sessions of programs count."""
    site.browser().sign_in("amina@a.example", PASSWORD)
    row = site.row("SELECT id FROM login_session WHERE kind = 'browser'")
    return claims(sid=str(row[0]))(site, tokens)


def truncated(at: int) -> Forge:
    return lambda _, tokens: tokens["access"][:at]


def fixed(text: str) -> Forge:
    return lambda _, __: text


DEEP = b'{"alg":' + b"[" * 1500 + b"]" * 1500 + b"}"
HOUR = 3600
NOW = int(clock.now().timestamp())

ATTACKS: dict[str, dict[str, Forge]] = {
    "algorithms": {
        "alg none": without_signature("none"),
        "alg NoNe": without_signature("NoNe"),
        "alg none, kept signature": header(alg="none"),
        "alg empty": header(alg=""),
        "alg HS512": lambda s, t: signed({**opened(t["access"])[0], "alg": "HS512"}, opened(t["access"])[1],
                                         own_key(s), hashlib.sha512),
        "alg a list": header(alg=["HS256"]),
        "alg null": header(alg=None),
        "no signature": without_signature("HS256"),
        "RS256": as_rsa,
        "RS256 in name": header(alg="RS256"),
        "public key as secret": confused,
    },
    "keys": {
        "guessed key": with_key(b"secret"),
        "empty key": with_key(b""),
        "key of the setting": lambda s, t: signed(*opened(t["access"]), s.config.secret_key.encode()),
        "key of another purpose": of_other_purpose,
        "kid a path": with_key(b"", kid="../../../../dev/null"),
        "kid an injection": with_key(b"x", kid="' UNION SELECT 'x"),
        "kid a list": header(kid=["a"]),
        "kid unknown": header(kid="0" * 16),
        "kid NUL": header(kid="\0"),
    },
    "headers": {
        "jku": header(jku="https://evil.example/jwks.json"),
        "jwk": header(jwk={"kty": "oct", "k": part(b"secret")}),
        "x5u": header(x5u="https://evil.example/x.pem"),
        "x5c": header(x5c=["AAAA"]),
        "crit": header(crit=["exp"]),
        "b64": header(b64=False, crit=["b64"]),
        "zip": header(zip="DEF"),
    },
    "types": {
        "typ refresh": header(typ="refresh"),
        "claim typ refresh": claims(typ="refresh"),
        "claim typ missing": claims(typ=None),
    },
    "audience and issuer": {
        "aud another": claims(aud="pages"),
        "aud a list": claims(aud=["api", "pages"]),
        "aud missing": claims(aud=None),
        "iss another": claims(iss="https://evil.example"),
        "iss missing": claims(iss=None),
    },
    "times": {
        "expired": claims(exp=NOW - HOUR),
        "exp missing": claims(exp=None),
        "exp a text": claims(exp="never"),
        "exp true": claims(exp=True),
        "exp infinite": claims(exp=1e308),
        "not yet": claims(nbf=NOW + HOUR),
        "issued tomorrow": claims(iat=NOW + 24 * HOUR),
        "nbf missing": claims(nbf=None),
    },
    "names of people and sessions": {
        "sub another's": claims(sub=str(uuid4())),
        "sub a number": claims(sub=7),
        "sub no id": claims(sub="' OR 1=1 --"),
        "sid unknown": claims(sid=str(uuid4())),
        "sid no id": claims(sid="\0"),
        "sid a list": claims(sid=[1]),
        "sid of a browser": browser_session,
        "jti missing": claims(jti=None),
    },
    "claims": {
        "claims changed": changed,
        "claims a list": lambda s, t: signed(opened(t["access"])[0], [1], own_key(s)),
        "claims no JSON": lambda s, t: signed(opened(t["access"])[0], b"{", own_key(s)),
    },
    "shapes": {
        "header nested deeply": lambda _, t: f"{part(DEEP)}.{t['access'].split('.', 1)[1]}",
        "header no object": lambda _, t: f"{part([])}.{t['access'].split('.', 1)[1]}",
        "header not UTF-8": lambda _, t: f"{part(bytes([255, 254]))}.{t['access'].split('.', 1)[1]}",
        "two parts": lambda _, t: t["access"].rsplit(".", 1)[0],
        "four parts": lambda _, t: t["access"] + ".AAAA",
        "five parts": fixed("a.b.c.d.e"),
        "truncated": truncated(40),
        "one letter short": truncated(-1),
        "padded": lambda _, t: t["access"] + "=",
        "words around": lambda _, t: f"x {t['access']}",
        "twice": lambda _, t: f"{t['access']}, Bearer {t['access']}",
        "1 MB": fixed("A" * 1_000_000),
        "1 MB of parts": lambda _, t: t["access"] + "A" * 1_000_000,
        "only dots": fixed(".."),
        "not ASCII": fixed("eyJ\xe9.\xe9.\xe9"),
        "control signs": fixed("eyJ\x01.\x7f.\x02"),
    },
    "other kinds of keys": {
        "refresh as access": lambda _, t: t["refresh"],
        "key that is none": fixed("swk_" + "A" * 43),
        "key empty": fixed("swk_"),
        "key endless": fixed("swk_" + "A" * 3000),
        "device key that is none": fixed("swd_" + "A" * 43),
    },
}  # fmt: skip
