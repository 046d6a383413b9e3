"""Maturity: data answer first, people fill in, and every no says what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from report.replays import CANVAS, diced, tiny
from truenorth.insight.maturity import KEYS, QUESTIONS, maturity

DAY = date(2024, 6, 1)


def test_ten_questions_with_keys_of_their_own() -> None:
    assert len(set(KEYS)) == len(QUESTIONS) == 10


def test_data_answer_before_people_do() -> None:
    replay = diced(300, seed=1)
    silent, said = maturity(replay, DAY), maturity(replay, DAY, dict.fromkeys(KEYS, True))
    for before, after in zip(silent.answers, said.answers, strict=True):
        if before.source == "data":
            assert after == before
        else:
            assert (before.answer, before.source) == (None, "nobody")
            assert (after.answer, after.source) == (True, "people")


def test_every_no_says_what_to_do_and_no_yes_does() -> None:
    for told in (False, True):
        for one in maturity(diced(300, seed=1), DAY, dict.fromkeys(KEYS, told)).answers:
            assert bool(one.next_step) == (one.answer is not True)


@pytest.mark.parametrize(("statement", "yes"), [("Working again within 3 days", True), ("Served quickly", False)])
def test_an_outcome_needs_a_number(statement: str, yes: bool) -> None:
    plain = tiny()
    journey = msgspec.structs.replace(plain.journey, canvas={**CANVAS, "outcome": [statement]})
    assert maturity(replace(plain, journey=journey), DAY).answers[0].answer is yes


def test_few_cases_tell_no_trend() -> None:
    by_key = {one.key: one for one in maturity(tiny(), DAY).answers}
    assert by_key["no_worse_than_before"].answer is None
    assert by_key["paid_by_outcomes"].source == "nobody"
