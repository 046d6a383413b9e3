"""Signatures of webhooks: an HMAC over the body, and over a timestamp where the provider has one."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import Literal

import msgspec

from truenorth.server.ingest.times import instant_us

SIGNED_PARTS = ("{body}", "{timestamp}{body}", "{timestamp}.{body}")
"""What providers sign."""

Algorithm = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]


class SignatureRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider signs. ``header`` holds ``prefix`` and the digest; ``timestamp`` is the header of the instant.

    ``tolerance_us``: how far the signed instant may lie from the arrival; None: any distance.
    """

    header: str
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    signed: str = "{body}"
    timestamp: str | None = None
    tolerance_us: int | None = None


def verify(rules: SignatureRules, secret: bytes, headers: Mapping[str, str], body: bytes, received_us: int) -> bool:
    """Whether the body was signed with the secret, compared in constant time. Names of headers are in lower case.

    >>> rules = SignatureRules(header="X-Hub-Signature", algorithm="sha1", prefix="sha1=")
    >>> verify(rules, b"secret", {"x-hub-signature": "sha1=5112055c05f944f85755efc5cd8970e194e9f45b"}, b"", 0)
    False
    """
    said = headers.get(rules.header.lower(), "")
    timestamp = headers.get(rules.timestamp.lower(), "") if rules.timestamp else ""
    if not said.startswith(rules.prefix) or not _is_fresh(rules, timestamp, received_us):
        return False
    before, _, after = rules.signed.replace("{timestamp}", timestamp).partition("{body}")
    message = before.encode() + body + after.encode()
    return hmac.compare_digest(
        _digest(said.removeprefix(rules.prefix), rules), hmac.digest(secret, message, rules.algorithm)
    )


def _is_fresh(rules: SignatureRules, timestamp: str, received_us: int) -> bool:
    if rules.timestamp is None or rules.tolerance_us is None:
        return rules.timestamp is None or bool(timestamp)
    at_us = instant_us(
        int(timestamp) if timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 20 else timestamp
    )
    return at_us is not None and abs(received_us - at_us) <= rules.tolerance_us


def _digest(text: str, rules: SignatureRules) -> bytes:
    """The digest that a header holds; nothing where it is none."""
    try:
        return bytes.fromhex(text) if rules.encoding == "hex" else b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
