"""Texts that were written for files and programs, as people read them: names in words, numbers as the reader writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from plotly import graph_objects as go

from truenorth.figures.theme import Theme, template
from truenorth.spec.model import Journey
from truenorth.spec.wording import name_in_words


class Spoken:
    """Says the names of a journey file in words, wherever they stand in a text.

    >>> Spoken(["called_back"]).text("Broken promise called_back comes first, recalled_back does not")
    'Broken promise called back comes first, recalled_back does not'
    >>> Spoken([], {"speed": "Time to answer"}).cell("speed"), Spoken([], {"speed": "Time"}).cell("at speed")
    ('Time to answer', 'at speed')
    """

    def __init__(self, names: Sequence[str], titles: Mapping[str, str] | None = None) -> None:
        """``names`` are said in words; ``titles``: what is called otherwise, where a text is the name alone."""
        self._titles = titles or {}
        odd = sorted((re.escape(name) for name in names if "_" in name), key=len, reverse=True)
        self._names = re.compile(rf"(?<![\w-])(?:{'|'.join(odd)})(?![\w-])") if odd else None

    @classmethod
    def of(cls, journey: Journey, titles: Mapping[str, str] | None = None) -> Spoken:
        """Says the promises, decisions and actions of a journey."""
        promises, actions = ([one.name for one in part] for part in (journey.promises, journey.actions))
        return cls([*promises, *actions, *(one.name for one in journey.decisions if one.name)], titles)

    def text(self, text: str) -> str:
        """A text with names in words."""
        return self._names.sub(lambda found: name_in_words(found[0]), text) if self._names else text

    def cell(self, text: str) -> str:
        """A text of a table: a name by its title; a formula, which is to be copied, as it is."""
        if text.startswith("{"):
            return text
        return self._titles.get(text) or self.text(text)

    def figure(self, figure: Any, theme: Theme) -> Any:
        """A figure that was made in light, in a theme and with names in words; the figure itself stays as it is."""
        drawn = go.Figure({name: self._within(part) for name, part in figure.to_plotly_json().items()})
        return drawn if theme == "light" else drawn.update_layout(template=template(theme))

    def _within(self, part: Any) -> Any:
        if isinstance(part, str):
            return self.text(part)
        if isinstance(part, Mapping):
            return {name: self._within(one) for name, one in part.items()}
        if isinstance(part, list | tuple):
            return [self._within(one) for one in part]
        if isinstance(part, np.ndarray) and part.dtype.kind in "OU":
            return [self._within(one) for one in part.tolist()]
        return part
