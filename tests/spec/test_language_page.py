"""The page about the language: its examples load, and it mentions every key, function and unit."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from truenorth.spec.calendars import CALENDAR_KEYS
from truenorth.spec.document import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS
from truenorth.spec.durations import UNITS_US
from truenorth.spec.functions import FUNCTIONS
from truenorth.spec.lint import VAGUE_WORDS, check_journey
from truenorth.spec.load import CANVAS_KEYS, DECISION_KEYS, JOURNEY_KEYS, OUTCOME_KEYS, load_journey, parse_journey
from truenorth.spec.model import CANONICAL_TYPES, FLAGS, PromiseKind
from truenorth.spec.promises import PROMISE_KEYS, SHAPES
from truenorth.spec.tokens import MAX_CHARACTERS, MAX_NESTING, WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example: str) -> None:
    assert load_journey(example).problems == ()


def test_the_examples_show_every_kind_of_promise() -> None:
    kinds = {promise.kind for example in EXAMPLES for promise in parse_journey(example).promises}
    assert kinds == set(PromiseKind)


@pytest.mark.parametrize(
    "word",
    [
        *JOURNEY_KEYS, *OUTCOME_KEYS, *DECISION_KEYS, *CALENDAR_KEYS, *PROMISE_KEYS, *CANONICAL_TYPES, *FLAGS,
        *UNITS_US, *(f"{name}(" for name in FUNCTIONS),
    ],
)  # fmt: skip
def test_every_word_of_the_language_is_mentioned(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{re.escape(word)}", PAGE)


def test_what_each_kind_of_promise_takes_is_told() -> None:
    for kind, shape in SHAPES.items():
        needs = ", ".join(f"`{key}`" for key in shape.needs)
        takes = ", ".join(f"`{key}`" for key in shape.takes)
        assert re.search(rf"\| {kind} \| {needs} \| {takes}{' ' if takes else ''}\|", PAGE), kind


def test_canvas_keys_vague_words_and_reserved_words_are_told() -> None:
    assert all(f"  {key}:" in PAGE for key in CANVAS_KEYS)
    assert all(word in PAGE for word in VAGUE_WORDS)
    assert f"`{' '.join(WORDS)}`" in PAGE


def test_the_bounds_are_told() -> None:
    for bound in (
        f"{MAX_BYTES // 1024} KB",
        f"{MAX_ELEMENTS:,} keys",
        f"{MAX_DEPTH} levels.",
        f"{MAX_NESTING} levels of",
    ):
        assert bound in PAGE
    assert f"{MAX_CHARACTERS:,} characters" in PAGE


def test_the_problem_shown_is_the_one_that_is_told() -> None:
    text = "\n" * 11 + "truenorth: 1\njourney: a\noutcome: {within: 3 dayz}\n"
    loaded = check_journey(text, today=date(2024, 5, 31))
    assert str(loaded.errors[0]) in PAGE
