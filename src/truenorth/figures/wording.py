"""Numbers and a stranger's text as words in a figure.

Plotly reads a subset of HTML in every label; whatever comes from a log goes through `plain`, so that it appears as the
text it is. The page around the figures escapes on its own: `figure.layout.meta` holds text that is not escaped.
"""

from __future__ import annotations

import html
import textwrap
import unicodedata

from truenorth.spec.counted import MINUS, counted, priced

SECOND_US = 1_000_000
UNITS = (("d", 86_400 * SECOND_US), ("h", 3_600 * SECOND_US), ("min", 60 * SECOND_US), ("s", SECOND_US))
"""Units of time and their length in microseconds, the longest first."""

NO_GROUP = "(none: the customer, or not recorded)"
"""Shown for a missing team, actor, channel or type."""


def shorten(text: str | None, width: int = 60) -> str:
    """``text`` on one line, without control characters, cut with an ellipsis after ``width`` characters.

    >>> shorten("a very long name", 8)
    'a very …'
    """
    shown = NO_GROUP if text is None else text
    flat = "".join(" " if unicodedata.category(char).startswith("C") else char for char in shown).strip()
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def plain(text: str | None, width: int = 60) -> str:
    """A stranger's text for a label: short, on one line, nothing in it read as markup.

    >>> plain("<b>x</b> & y")
    '&lt;b&gt;x&lt;/b&gt; &amp; y'
    >>> plain("$x$")
    '&#36;x&#36;'
    """
    return _escaped(shorten(text, width))


def _escaped(text: str) -> str:
    """No markup, and no dollar signs: a notebook would read what is between two of them as a formula."""
    return html.escape(text, quote=False).replace("$", "&#36;")


def wrapped(text: str, width: int, lines: int) -> list[str]:
    """``text`` in at most ``lines`` lines of at most ``width`` characters, escaped for a label.

    >>> wrapped("Take in charge ticket", 10, 2)
    ['Take in', 'charge …']
    >>> wrapped("A_PARTLYSUBMITTED", 16, 2)
    ['A_', 'PARTLYSUBMITTED']
    """
    flat = shorten(text, 400)
    if any(len(word) > width for word in flat.split()):
        flat = flat.replace("_", "_ ")
    found = textwrap.wrap(flat, width, max_lines=lines, placeholder=" …") or ["(empty)"]
    return [_escaped(line.replace("_ ", "_")) for line in found]


def count(number: float) -> str:
    """A whole number with thousands separators.

    >>> count(4580)
    '4,580'
    """
    return f"{round(number):,}".replace("-", MINUS)


def ratio(number: float) -> str:
    """A ratio with as many decimals as it needs to be told from zero.

    >>> ratio(12.34), ratio(0.56), ratio(0.0037), ratio(0)
    ('12.3', '0.56', '< 0.01', '0')
    """
    if 0 < number < 0.01:
        return "< 0.01"
    return f"{number:,.1f}" if number >= 1 else f"{number:.2g}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign; what is written as zero has none.

    >>> points(0.1234), points(-0.0001)
    ('+12.3', '0.0')
    """
    return signed(100 * difference, 1)


def signed(number: float, decimals: int) -> str:
    """A number with its sign, and without one where it is written as zero.

    >>> signed(1234.5, 2), signed(-0.004, 2)
    ('+1,234.50', '0.00')
    """
    rounded = round(number, decimals) + 0.0  # zero loses its minus
    return f"{rounded:{'+' if rounded else ''},.{decimals}f}".replace("-", MINUS)


def tenths(share: float) -> str:
    """A share of a hundred, without its sign.

    >>> tenths(0.0664), tenths(0.0)
    ('6.6', '0.0')
    """
    return f"{100 * share:.1f}"


def duration(us: float | None) -> str:
    """Microseconds as a length of time in the largest fitting unit.

    >>> duration(9_000_000_000), duration(86_400_000_000 * 12.3), duration(0), duration(None)
    ('2.5 h', '12.3 d', '0 s', 'n/a')
    """
    if us is None:
        return "n/a"
    name, size = next(((name, size) for name, size in UNITS if abs(us) >= size), UNITS[-1])
    amount = us / size
    return f"{amount:,.0f} {name}" if amount >= 100 or amount == round(amount) else f"{amount:.1f} {name}"


def money(amount: float | None, currency: str = "") -> str:
    """An amount in a currency, without decimals from 100 on.

    >>> money(12345.6, "EUR"), money(5.25)
    ('EUR 12,346', '5.25')
    """
    if amount is None:
        return "n/a"
    number = f"{amount:,.0f}" if abs(amount) >= 100 or amount == round(amount) else f"{amount:,.2f}"
    return priced(number.replace("-", MINUS), currency)


def cases(number: int) -> str:
    """A number of cases in words.

    >>> cases(1), cases(2000)
    ('1 case', '2,000 cases')
    """
    return counted(number, "case")
