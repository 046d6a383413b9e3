"""Character references of XML."""

from __future__ import annotations

from html import unescape as unescape_html

import polars as pl

NAMED = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}


def unescape(values: pl.Series) -> pl.Series:
    """Replace the character references of XML by their characters.

    >>> unescape(pl.Series(["a &amp;lt; b", "&#65;"])).to_list()
    ['a &lt; b', 'A']
    """
    escaped = values.str.contains("&", literal=True)
    if not escaped.any():
        return values
    numbered = values.filter(escaped).str.contains("&#", literal=True).any()
    if numbered:
        texts = [None if text is None else unescape_html(text) for text in values.filter(escaped)]
        new = pl.Series(values.name, texts, dtype=pl.String)
    else:
        new = values.filter(escaped)
        for name, character in NAMED.items():
            new = new.str.replace_all(name, character, literal=True)
        new = new.str.replace_all("&amp;", "&", literal=True)
    return values.scatter(escaped.arg_true(), new)
