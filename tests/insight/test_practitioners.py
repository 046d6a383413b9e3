"""A survey of practitioners: who counts, and the five challenges that most of them share."""

from __future__ import annotations

import csv
import json
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from truenorth.cli.app import app
from truenorth.insight.practitioners import distil, parse_questionnaire
from truenorth.spec.problems import TruenorthError

QUESTIONS = """
accredited_years: 2
questions:
  - {key: hard, text: What stands in your way?, kind: challenge}
  - {key: more, text: Tell us more about the hardest one., kind: deep_dive}
"""
PLANTED = {
    "silos": ("departments work in silos", "silos between departments", "every department its own silo"),
    "leaders": ("leaders do not believe in it", "no support of leaders", "leaders change their mind"),
    "targets": (
        "targets reward handle time",
        "wrong targets, handle time counts",
        "rewards by handle time",
    ),
    "systems": ("old systems", "systems that do not talk", "slow old computer systems"),
    "data": ("no data about outcomes", "data are late", "nobody trusts the data"),
    "training": ("no training for new people", "training comes too late", "people lack training"),
    "budget": ("budget is cut", "no budget for change", "yearly budget fights"),
}
DAY = date(2026, 11, 1)


def answers(n: int, seed: int = 0) -> tuple[pl.DataFrame, list[str]]:
    """Contributors who name two or three challenges; the first five of `PLANTED` much more often than the rest."""
    dice = np.random.default_rng(seed)
    weights = np.array([8, 7, 6, 5, 4, 1, 1]) / 32
    rows = []
    for i in range(n):
        named = dice.choice(list(PLANTED), size=int(dice.integers(2, 4)), replace=False, p=weights)
        texts = "; ".join(str(dice.choice(PLANTED[one])) for one in named)
        rows.append({"contributor": f"p{i}", "accredited": "2021-05-01", "hard": texts, "more": f"about {named[0]}"})
    return pl.DataFrame(rows), list(PLANTED)[:5]


@pytest.mark.parametrize("seed", range(3))
def test_the_five_that_most_share_are_found(seed: int) -> None:
    table, common = answers(60, seed)
    found = distil(parse_questionnaire(QUESTIONS, "q.yaml"), table, DAY)
    assert found.n_challenges > 50
    assert len(found.top) == 5
    words = {"silos": "silo", "leaders": "leaders", "targets": "handle", "systems": "systems", "data": "data"}
    told = [
        next((key for key in common if any(words[key] in text for text in one.examples)), None) for one in found.top
    ]
    assert len(set(told) - {None}) >= 4
    assert found.top[0].share >= found.top[-1].share


def test_only_those_accredited_long_enough_count() -> None:
    table = pl.DataFrame({
        "contributor": ["old", "new", "unclear"], "accredited": ["2020-01-01", "2026-01-01", "long ago"],
        "hard": ["silos", "leaders", "targets"],
    })  # fmt: skip
    found = distil(parse_questionnaire(QUESTIONS, "q.yaml"), table, DAY)
    assert found.n_contributors == found.n_challenges == 1
    assert sum(found.left_out.values()) == 2
    assert any("less than 2 years" in reason for reason in found.left_out)


def test_levels_that_do_not_count_are_left_out() -> None:
    table, _ = answers(20)
    leveled = table.with_columns(pl.Series("level", ["master", "beginner"] * 10))
    found = distil(parse_questionnaire("levels: [master]\n" + QUESTIONS, "q.yaml"), leveled, DAY)
    assert (found.n_contributors, found.left_out) == (10, {"another level": 10})


def test_deep_dives_are_of_those_who_name_it() -> None:
    table, _ = answers(60)
    found = distil(parse_questionnaire(QUESTIONS, "q.yaml"), table, DAY)
    assert all(len(one.deep_dives) == one.n_contributors for one in found.top)


@pytest.mark.parametrize("text", ["", "questions: [{key: a, text: b}]", "questions: 3"])
def test_questions_that_do_not_fit_say_so(text: str) -> None:
    with pytest.raises(TruenorthError, match=r"q\.yaml"):
        parse_questionnaire(text, "q.yaml")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(TruenorthError, match="accredited"):
        distil(parse_questionnaire(QUESTIONS, "q.yaml"), pl.DataFrame({"contributor": ["a"]}), DAY)


def test_of_one_contributor_the_last_answer_counts() -> None:
    table = pl.DataFrame(
        {"contributor": ["a", "a"], "accredited": ["2020-01-01"] * 2, "hard": ["silos; leaders", "budget"]}
    )
    found = distil(parse_questionnaire(QUESTIONS, "q.yaml"), table, DAY)
    assert (found.n_contributors, found.left_out) == (1, {"answered again later": 1})
    assert found.n_challenges == 1


class Fields(HTMLParser):
    """The names of the fields of a form, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("input", "textarea", "select"):
            self.names.append(dict(attrs)["name"] or "")


def test_the_page_asks_for_what_the_command_reads(tmp_path: Path) -> None:
    """Its fields are the columns; files of several people are distilled together."""
    questions, page = tmp_path / "questions.yaml", tmp_path / "survey.html"
    questions.write_text("levels: [master]\n" + QUESTIONS)
    command = ["insight", "practitioners", str(questions)]
    assert CliRunner().invoke(app, [*command, "--write-page", str(page)]).exit_code == 0
    fields = Fields()
    fields.feed(page.read_text())
    assert fields.names == ["contributor", "accredited", "level", "hard", "more"]
    files = []
    for name in ("Ada", "Bea"):
        files.append(tmp_path / f"answers-{name}.csv")
        with files[-1].open("w", newline="") as file:
            rows = csv.writer(file, quoting=csv.QUOTE_ALL)
            rows.writerow(fields.names)
            rows.writerow([name, "2021-05-01", "master", 'silos, "old" ones\nno budget', "at length"])
    asked = CliRunner().invoke(app, [*command, *map(str, files), "--as-of", "2026-11-01", "--json"])
    assert asked.exit_code == 0, asked.output
    told = json.loads(asked.stdout)
    assert (told["n_contributors"], told["n_challenges"]) == (2, 4)
    without = CliRunner().invoke(app, command)
    assert without.exit_code != 0
    assert "--write-page" in without.output


def test_few_challenges_are_not_lumped_into_fewer_than_five() -> None:
    said = ["no authority", "silos everywhere", "old systems", "\u7cfb\u7edf\u592a\u6162", "late data", "handle time"]
    rows = [{"contributor": f"c{n}", "accredited": "2020-01-01", "hard": "; ".join(said)} for n in range(4)]
    found = distil(parse_questionnaire(QUESTIONS, "q.yaml"), pl.DataFrame(rows), DAY)
    assert len(found.top) == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("questions: {", "no YAML"),
        ("accredited_years: x\nquestions: []", "$.accredited_years: expected float, found str"),
        ("questions: [{key: a, txt: b}]", "$.questions[0]"),
        ("questions: [{text: b}]", "expected the key 'key', found nothing"),
    ],
)
def test_the_place_of_a_mistake_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(TruenorthError) as caught:
        parse_questionnaire(text, "q.yaml")
    assert told in str(caught.value)
    assert str(caught.value).startswith("q.yaml")
