"""A survey of practitioners: many named challenges distilled to the few that most of them share.

Questions are a YAML file, answers a table (CSV) with one row a contributor. Only contributors who have been accredited
for long enough count; who is left out, and why, is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec
import polars as pl

from truenorth.insight.voice import quotes, sort_texts
from truenorth.insight.yaml_text import read_yaml
from truenorth.spec.problems import Problem, TruenorthError

TOP = 5
N_THEMES = 12
"""Challenges are told apart into at most so many themes, of which the `TOP` are shown."""
CHALLENGES_A_THEME = 4
"""With fewer challenges there are fewer themes: about so many in each, but `TOP` of them where there can be."""
SEPARATOR = re.compile(r"[\n;]+")


class SurveyQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question. ``challenge``: its answers name challenges, one a line; ``deep_dive``: told at length."""

    key: str
    text: str
    kind: Literal["challenge", "deep_dive", "other"] = "other"


class Questionnaire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A questions file; columns of the answers are the questions' keys."""

    questions: tuple[SurveyQuestion, ...]
    accredited_years: float = 2.0
    levels: tuple[str, ...] = ()
    """Levels of accreditation that count; all, where none is named."""


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """A theme among the challenges: how many contributors name it, in which words, and what they say at length."""

    name: str
    terms: tuple[str, ...]
    n_contributors: int
    share: float
    examples: tuple[str, ...]
    deep_dives: tuple[str, ...]


class Distilled(msgspec.Struct, frozen=True, kw_only=True):
    """What a survey comes to. ``left_out``: contributors by the reason why they do not count."""

    n_contributors: int
    n_challenges: int
    left_out: Mapping[str, int]
    top: tuple[Challenge, ...]

    def to_frame(self) -> pl.DataFrame:
        """One row a challenge."""
        return pl.DataFrame([msgspec.to_builtins(one) for one in self.top], infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def parse_questionnaire(text: str, where: str) -> Questionnaire:
    """The questions of a file; TruenorthError where it does not fit.

    >>> parse_questionnaire("questions: [{key: c, text: What is hard?, kind: challenge}]", "q.yaml").questions[0].key
    'c'
    """
    expected = "questions: a list of {key, text, kind: challenge | deep_dive | other}"
    found = read_yaml(text, Questionnaire, where, expected, "see docs/insight-customers.md")
    if not any(one.kind == "challenge" for one in found.questions):
        raise _wrong(f"{where}: questions", "one of kind challenge at least", "none", "say which one names challenges")
    return found


def distil(questionnaire: Questionnaire, answers: pl.DataFrame, as_of: date, seed: int = 0) -> Distilled:
    """The challenges that most contributors share, as of a day.

    ``answers``: columns ``contributor``, ``accredited`` (a date), ``level`` where levels count, and one a question (a
    missing one is empty). *Counting rule*: of one contributor the last row counts, and once a theme, however often it
    is named; deep dives are those of the contributors who name it. TruenorthError where a column is missing or a date
    is none.
    """
    counted, left_out = _who_counts(questionnaire, answers, as_of)
    named = _challenges(questionnaire, counted)
    if not named.height:
        return Distilled(n_contributors=counted.height, n_challenges=0, left_out=left_out, top=())
    n_texts = named["text"].n_unique()
    n_themes = max(min(TOP, n_texts), min(N_THEMES, n_texts // CHALLENGES_A_THEME))
    told = sort_texts(named["text"], n_themes, seed)
    themed = named.with_columns(pl.Series("theme", told.theme), pl.Series("strength", told.strength))
    ranked = (
        themed.filter(pl.col("theme") >= 0)
        .group_by("theme")
        .agg(pl.col("contributor").n_unique().alias("n"))
        .sort(["n", "theme"], descending=[True, False])
        .head(TOP)
    )
    top = []
    for theme, n in ranked.iter_rows():
        mine = themed.filter(pl.col("theme") == theme)
        top.append(
            Challenge(
                name=", ".join(told.terms[theme][:3]),
                terms=told.terms[theme],
                n_contributors=n,
                share=n / counted.height,
                examples=quotes(mine),
                deep_dives=_deep_dives(questionnaire, counted, mine["contributor"].unique()),
            )
        )
    return Distilled(n_contributors=counted.height, n_challenges=named.height, left_out=left_out, top=tuple(top))


def _who_counts(
    questionnaire: Questionnaire, answers: pl.DataFrame, as_of: date
) -> tuple[pl.DataFrame, Mapping[str, int]]:
    needed = ["contributor", "accredited", *(["level"] if questionnaire.levels else [])]
    missing = [name for name in needed if name not in answers.columns]
    if missing:
        raise _wrong("answers", f"columns {', '.join(needed)}", f"none called {', '.join(missing)}", "add them")
    since = answers["accredited"].cast(pl.String).str.to_date(strict=False)
    days = (pl.lit(as_of) - since).dt.total_days()
    reason = (
        pl.when(pl.col("contributor").is_null())
        .then(pl.lit("no name"))
        .when(since.is_null())
        .then(pl.lit("no day of accreditation that can be read (expected 2024-03-31)"))
        .when(days < questionnaire.accredited_years * 365.25)
        .then(pl.lit(f"accredited for less than {questionnaire.accredited_years:g} years"))
        .when(~pl.col("contributor").is_last_distinct())
        .then(pl.lit("answered again later"))
    )
    if questionnaire.levels:
        reason = reason.when(~pl.col("level").is_in(list(questionnaire.levels))).then(pl.lit("another level"))
    marked = answers.with_columns(reason.alias("_left_out"))
    left_out = Counter(marked["_left_out"].drop_nulls().to_list())
    return marked.filter(pl.col("_left_out").is_null()).drop("_left_out"), dict(left_out)


def _challenges(questionnaire: Questionnaire, answers: pl.DataFrame) -> pl.DataFrame:
    """One row a named challenge: ``contributor, text``."""
    keys = [one.key for one in questionnaire.questions if one.kind == "challenge" and one.key in answers.columns]
    rows = [
        (contributor, text.strip())
        for contributor, *cells in answers.select("contributor", *keys).iter_rows()
        for cell in cells
        if cell is not None
        for text in SEPARATOR.split(str(cell))
        if text.strip()
    ]
    return pl.DataFrame(rows, schema={"contributor": pl.String, "text": pl.String}, orient="row")


def _deep_dives(questionnaire: Questionnaire, answers: pl.DataFrame, who: pl.Series) -> tuple[str, ...]:
    keys = [one.key for one in questionnaire.questions if one.kind == "deep_dive" and one.key in answers.columns]
    told = answers.filter(pl.col("contributor").cast(pl.String).is_in(who.implode()))
    return tuple(str(cell) for row in told.select(keys).iter_rows() for cell in row if cell) if keys else ()


def _wrong(path: str, expected: str, found: str, hint: str) -> TruenorthError:
    return TruenorthError([Problem(path=path, expected=expected, found=found, hint=hint)])
