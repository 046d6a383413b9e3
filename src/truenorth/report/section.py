"""One subject of an insight as every reader gets it: a page, a terminal, a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import msgspec
import polars as pl

from truenorth.foresight.backtest import Backtest
from truenorth.insight.concentration import Measure
from truenorth.insight.initiative_file import Initiative
from truenorth.insight.kpi_file import Kpi
from truenorth.insight.replayed import Replayed
from truenorth.report.tables import Table


class Answer(Protocol):
    """What an insight finds: a frame for those who go on computing, plain values for those who do not use Polars."""

    def to_frame(self) -> pl.DataFrame:
        """The main table."""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with the rules of counting."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What subjects need beside a replay.

    ``as_of``: the day by which reviews are old (default: that of the watermark). ``seed``: of whatever is sampled or
    split at random.
    """

    as_of: date | None = None
    seed: int = 0
    exclude: tuple[str, ...] = ()
    """Columns that are not known when a case opens, although its first event has them."""
    of: tuple[tuple[str, Measure], ...] = ()
    """Of what, and by which measure, concentrations are asked for."""
    told: Mapping[str, bool] = {}
    """What people answer to the questions on maturity, by key."""
    theme_names: Mapping[str, Sequence[str]] = {}
    """Names of themes and the terms that they stand for."""
    k: int = 5
    """So many of the largest items are looked at together."""
    kpis: tuple[Kpi, ...] = ()
    """What is steered by; without any there is no audit."""
    initiatives: tuple[Initiative, ...] = ()
    """What is tried or proposed; without any only the line of sight of teams is told."""
    backtest: Backtest | None = None
    """How well foresight did on held-out time; without one nothing is said about it."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A subject, answered: its finding in one sentence, figures and tables by name, and how it is computed.

    ``figures``: Plotly figures as `truenorth.figures` makes them; their names are unique in a report. ``tables``: the
    first is what a terminal shows; those of the names of figures stand under them. ``how``: paragraphs of plain text.
    """

    finding: str
    answer: Any
    figures: Mapping[str, Any] = {}
    tables: Mapping[str, Table] = {}
    how: tuple[str, ...] = ()


def always(_inputs: Inputs) -> bool:
    """For subjects that need nothing beside a replay."""
    return True


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the registry: what a subject is called, and what makes its section.

    ``name``: the command, and the anchor of the section. ``about``: in a sentence. ``options``: which of
    `truenorth.insight.options.OPTIONS` it looks at. ``learns``: whether it needs the extra ``learn``. ``can``: whether
    there is anything to tell with what was given; a report leaves the section out where there is not. ``needs``: what
    has to be given, in words.
    """

    name: str
    title: str
    about: str
    make: Callable[[Replayed, Inputs], Section]
    options: tuple[str, ...] = ()
    learns: bool = False
    can: Callable[[Inputs], bool] = always
    needs: str = ""
