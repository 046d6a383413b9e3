"""A number of things in words, for every sentence that counts."""

from __future__ import annotations


def counted(n: int, word: str, many: str | None = None) -> str:
    """A number of things, with thousands separators; ``many``: the plural where it is more than an s.

    >>> counted(1, "event"), counted(2_000, "event"), counted(0, "case was", "cases were")
    ('1 event', '2,000 events', '0 cases were')
    """
    return f"{n:,} {word if n == 1 else many or word + 's'}"
