"""Write keys: what a secret stands for, and where a request says one."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Protocol

KEY_WORDS = ("writeKey", "write_key", "api_key", "apiKey", "token")
"""What clients call the key in bodies and queries."""


REMEMBERED_US = 5_000_000
"""How long the answer about a key is believed."""

MOST_REMEMBERED = 10_000
"""Most keys, unknown ones too, whose answers are kept."""


class Keys(Protocol):
    """The write keys of ingest."""

    def source_of(self, secret: str) -> str | None:
        """The name of the source that a key belongs to; None for an unknown key."""
        ...


def hash_of(secret: str) -> str:
    """The SHA-256 of a key in hex: what is kept instead of the key.

    >>> hash_of("WRITEKEY")[:8]
    '9e442759'
    """
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class HashedKeys:
    """Keys known by their hash. What a look-up's time tells is about the hash, not about the key.

    >>> keys = HashedKeys({hash_of("WRITEKEY"): "shop"})
    >>> keys.source_of("WRITEKEY"), keys.source_of("writekey")
    ('shop', None)
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        """``sources``: hash in hex to name of the source."""
        self._sources = dict(sources)

    def source_of(self, secret: str) -> str | None:
        """The name of the source that a key belongs to."""
        return self._sources.get(hash_of(secret))


class RememberedKeys:
    """Keys that are asked for again only after a while: a store is not asked at every request.

    A key that is revoked is refused after ``remembered_us`` at the latest. ``now_us``: the clock, microseconds.

    >>> keys = RememberedKeys(HashedKeys({hash_of("WRITEKEY"): "shop"}), lambda: 0)
    >>> keys.source_of("WRITEKEY"), keys.source_of("WRITEKEY")
    ('shop', 'shop')
    """

    def __init__(self, keys: Keys, now_us: Callable[[], int], remembered_us: int = REMEMBERED_US) -> None:
        self._keys, self._now_us, self._remembered_us = keys, now_us, remembered_us
        self._known: dict[str, tuple[int, str | None]] = {}

    def source_of(self, secret: str) -> str | None:
        """The name of the source that a key belongs to, or belonged to a moment ago."""
        key, now_us = hash_of(secret), self._now_us()
        asked_us, source = self._known.get(key, (None, None))
        if asked_us is None or not 0 <= now_us - asked_us < self._remembered_us:
            source = self._keys.source_of(secret)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = (now_us, source)
        return source


def keys_of_request(headers: Mapping[str, str], query: Mapping[str, str]) -> Iterator[str]:
    """Keys in a request's headers (names in lower case) and query.

    `X-Write-Key`, the user name of `Authorization: Basic`, `Authorization: Bearer`, then the query.

    >>> list(keys_of_request({"authorization": "Basic V1JJVEVLRVk6"}, {"token": "other"}))
    ['WRITEKEY', 'other']
    """
    if headers.get("x-write-key"):
        yield headers["x-write-key"]
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        yield credentials.strip()
    elif scheme.lower() == "basic":
        name = _user_name(credentials.strip())
        if name:
            yield name
    yield from (query[word] for word in KEY_WORDS if query.get(word))


def _user_name(credentials: str) -> str:
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def keys_of_body(body: Any) -> Iterator[str]:
    """Keys in a body: its own, or that of its first event (PostHog's browser client puts it among the properties).

    >>> list(keys_of_body([{"event": "e", "properties": {"distinct_id": "u1", "token": "WRITEKEY"}}]))
    ['WRITEKEY']
    """
    if isinstance(body, dict):
        yield from _said(body)
        body = body.get("batch") or [body]
    if isinstance(body, list) and body and isinstance(body[0], dict):
        yield from _said(body[0])
        properties = body[0].get("properties")
        if isinstance(properties, dict) and "distinct_id" in properties:
            yield from _said(properties)


def _said(place: Mapping[str, Any]) -> Iterator[str]:
    return (place[word] for word in KEY_WORDS if isinstance(place.get(word), str) and place[word])
