"""Keyed hashes: what is known again without being kept."""

from __future__ import annotations

from hashlib import blake2b, sha256

HASH_BYTES = 16
"""128 bits: among n hashes, m strange ones meet one by chance with a probability of at most n m / 2**128."""


def event_hash(salt: bytes, source: str, id: str) -> bytes:  # noqa: A002  # the field's name
    """A hash of what makes an event unique; no two pairs are hashed as the same bytes.

    >>> event_hash(b"", "a", "bc") == event_hash(b"", "ab", "c")
    False
    """
    first = source.encode()
    return blake2b(b"%d:%b%b" % (len(first), first, id.encode()), digest_size=HASH_BYTES, key=salt).digest()


def person_hash(salt: bytes, id: str) -> bytes:  # noqa: A002  # the field's name
    """A hash of one id of a person, of another kind than those of events."""
    return blake2b(id.encode(), digest_size=HASH_BYTES, key=salt, person=b"person").digest()


def secret_hash(secret: str) -> bytes:
    """A hash of a key or token.

    One round of SHA-256 without a salt is right for a secret of 256 random bits: nobody can list them, so neither
    slowness nor salt protects anything, and a request is answered after one look-up. It would be wrong for passwords.
    """
    return sha256(secret.encode()).digest()
