"""A number of things, a share and an amount of money in words, for every sentence that counts."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def counted(n: int, word: str, many: str | None = None) -> str:
    """A number of things, with thousands separators; ``many``: the plural where it is more than an s.

    >>> counted(1, "event"), counted(2_000, "event"), counted(0, "case was", "cases were")
    ('1 event', '2,000 events', '0 cases were')
    """
    return f"{n:,} {word if n == 1 else many or word + 's'}"


def percent(share: float | None) -> str:
    """A share, or a difference of shares, as a percentage with one decimal; never 0 or 100 unless it is exactly that.

    >>> percent(0.7204), percent(1.0), percent(0.99999), percent(0.0001), percent(None)
    ('72.0 %', '100 %', '> 99.9 %', '< 0.1 %', 'n/a')
    >>> percent(-0.02) == f"{MINUS}2.0 %"
    True
    """
    if share is None:
        return "n/a"
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if 0 < share < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if 0.999 < share < 1 else f"{100 * share:.1f} %".replace("-", MINUS)


def priced(number: str, currency: str) -> str:
    """A number that was written already, as an amount in a currency: the one way in which money is written.

    >>> priced("12,346", "EUR"), priced("5.25", "")
    ('EUR 12,346', '5.25')
    """
    return f"{currency} {number}" if currency else number
