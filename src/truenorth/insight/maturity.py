"""Does the customer come first? Ten yes-or-no questions, answered from data where data can answer, else by people.

The questions and thresholds are our own. There is no score but the number of answers that are yes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

import msgspec
import polars as pl

from truenorth.insight.clustered import clustered_ratio
from truenorth.insight.overview import overview
from truenorth.insight.promises import promise_verdicts
from truenorth.insight.replayed import DECIDED, Replayed
from truenorth.spec.counted import counted, percent
from truenorth.spec.problems import Problem, TruenorthError, nearest

KEPT_ENOUGH = 0.9
DECIDED_ENOUGH = 0.9
REVIEW_DAYS = 730
SOURCES = Literal["data", "people", "nobody"]
Finding = tuple[bool | None, str]
"""Yes, no, or cannot be told; and the evidence."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One question, answered: ``answer`` is None where neither data nor people have told."""

    key: str
    question: str
    answer: bool | None
    source: SOURCES
    evidence: str
    next_step: str


class Maturity(msgspec.Struct, frozen=True):
    """All ten answers, in their order."""

    answers: tuple[Answer, ...]

    @property
    def n_yes(self) -> int:
        """How many are yes."""
        return sum(one.answer is True for one in self.answers)

    def to_frame(self) -> pl.DataFrame:
        """One row a question."""
        return pl.DataFrame([msgspec.to_builtins(one) for one in self.answers], infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"yes": self.n_yes, "of": len(self.answers), "answers": msgspec.to_builtins(self.answers)}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question, what answers it from data (None: only people can), and what to do where the answer is no."""

    key: str
    text: str
    ask: Callable[[Replayed, date], Finding] | None
    next_step: str


def maturity(replay: Replayed, as_of: date, told: Mapping[str, bool] | None = None) -> Maturity:
    """The ten questions for a journey as of a day.

    ``told``: what people say, by the questions' keys. Data go first: people answer only what data cannot tell.
    """
    said = told or {}
    return Maturity(tuple(_answer(one, replay, as_of, said.get(one.key)) for one in QUESTIONS))


def _answer(question: Question, replay: Replayed, as_of: date, said: bool | None) -> Answer:
    answer, evidence = question.ask(replay, as_of) if question.ask else (None, "only people can tell")
    source: SOURCES = "data"
    if answer is None:
        source = "nobody" if said is None else "people"
        evidence = evidence if said is None else "people say so"
        answer = said
    return Answer(
        key=question.key,
        question=question.text,
        answer=answer,
        source=source,
        evidence=evidence,
        next_step="" if answer else question.next_step,
    )


def _outcome_in_numbers(replay: Replayed, _as_of: date) -> Finding:
    statements = [str(one) for one in replay.journey.canvas.get("outcome", ())]
    numbered = [one for one in statements if re.search(r"\d", one)]
    return bool(numbered), f"{len(numbered)} of {len(statements)} outcome statements of the canvas have a number"


def _outcome_measured(replay: Replayed, _as_of: date) -> Finding:
    if replay.journey.outcome.achieved is None:
        return False, "the journey file does not say when the outcome is achieved"
    cases = replay.cases
    if not cases.height:
        return None, "no case"
    by_event = cases.filter((pl.col("outcome") == "achieved") | (pl.col("reason") == "event")).height
    decided = cases.filter(pl.col("outcome").is_in(DECIDED)).height
    if not decided:
        return None, "no case is decided yet"
    share = by_event / decided
    return (
        share >= DECIDED_ENOUGH,
        f"{percent(share)} of decided cases were decided by something that happened, not by time",
    )


def _getting_better(replay: Replayed, _as_of: date) -> Finding:
    """The second half of the cases by opening against the first, open cases left out."""
    decided = replay.cases.filter(pl.col("outcome").is_in(DECIDED)).sort("opened")
    half = decided.height // 2
    if half < 30:
        return None, "fewer than 60 decided cases"
    early, late = (_rate(part) for part in (decided.head(half), decided.tail(half)))
    error = ((early[1] ** 2) + (late[1] ** 2)) ** 0.5
    change = late[0] - early[0]
    return (
        change > -2 * error,
        f"achieved {percent(early[0])} in the first half of the cases, {percent(late[0])} in the second",
    )


def _rate(cases: pl.DataFrame) -> tuple[float, float]:
    rows = cases.lazy().select(
        pl.coalesce("customer", "case").alias("customer"), (pl.col("outcome") == "achieved").alias("part")
    )
    sums = rows.group_by("customer").agg(pl.col("part").sum(), pl.len().alias("whole"))
    found = clustered_ratio(sums, "part", "whole")
    assert found is not None
    return found[0], (found[2] - found[1]) / 4


def _promises_kept(replay: Replayed, _as_of: date) -> Finding:
    verdicts = promise_verdicts(replay)
    judged = int(verdicts["kept"].sum()) + int(verdicts["broken"].sum())
    if not replay.journey.promises:
        return False, "the journey file makes no promises"
    if not judged:
        return None, "no promise has been judged yet"
    share = int(verdicts["kept"].sum()) / judged
    return share >= KEPT_ENOUGH, f"{percent(share)} of {counted(judged, 'promise was', 'promises were')} kept"


def _told_once(replay: Replayed, _as_of: date) -> Finding:
    """Cases in which no moment of the customer's own comes twice."""
    events = replay.events
    acting = [pl.col(name).is_not_null() for name in ("actor", "team") if name in events.columns]
    is_own = [~pl.any_horizontal(acting)] if acting else []
    own = events.lazy().filter(pl.col("moment"), *is_own).select("case", "type").collect()
    if not own.height or not acting:
        return None, "the log does not show what customers do themselves"
    twice = own.group_by("case", "type").len().filter(pl.col("len") > 1)["case"].n_unique()
    n_cases = own["case"].n_unique()
    return (
        twice / n_cases <= 1 - KEPT_ENOUGH,
        f"in {percent(twice / n_cases)} of cases the customer did a thing again",
    )


def _rules_reviewed(replay: Replayed, as_of: date) -> Finding:
    rules = replay.journey.decisions
    if not rules:
        return None, "the journey file names no business rules"
    alive = [
        one for one in rules if one.owner and one.reason and one.reviewed and (as_of - one.reviewed).days <= REVIEW_DAYS
    ]
    have = counted(len(rules), "rule has", "rules have")
    return len(alive) == len(rules), f"{len(alive)} of {have} an owner, a reason, a fresh review"


def _worth_known(replay: Replayed, _as_of: date) -> Finding:
    found = overview(replay)
    has_value = bool(replay.journey.outcome.value)
    has_cost = found.cost > 0
    words = {True: "known", False: "not known"}
    return has_value and has_cost, f"value of outcomes {words[has_value]}, cost {words[has_cost]}"


QUESTIONS: tuple[Question, ...] = (
    Question(
        key="outcome_in_numbers",
        text="Is what the customer came for written down with a number in it?",
        ask=_outcome_in_numbers,
        next_step="Write the outcome statements of the canvas with numbers: within how long, how often, how sure.",
    ),
    Question(
        key="outcome_measured",
        text="Is the outcome of every case seen in events, not asked of a sample later?",
        ask=_outcome_measured,
        next_step="Send the event that shows the outcome, also when the customer leaves.",
    ),
    Question(
        key="no_worse_than_before",
        text="Do customers get the outcome at least as often as before?",
        ask=_getting_better,
        next_step="Look at the points of failure, and at what changed first (pace).",
    ),
    Question(
        key="promises_kept",
        text="Does the company promise what it can be held to, and keep nine in ten?",
        ask=_promises_kept,
        next_step="Take the promise that is broken most; keep it or stop making it.",
    ),
    Question(
        key="told_once",
        text="Is it enough for nine in ten customers to do each thing once?",
        ask=_told_once,
        next_step="Find the moments that repeat (moments, failure demand) and remove their cause.",
    ),
    Question(
        key="rules_reviewed",
        text="Has every business rule an owner, a reason and a review within two years?",
        ask=_rules_reviewed,
        next_step="Give forgotten rules an owner, or remove them (decision register).",
    ),
    Question(
        key="worth_known",
        text="Is known what an achieved outcome is worth and what it costs?",
        ask=_worth_known,
        next_step="Declare outcome.value in the journey file and send cost with events.",
    ),
    Question(
        key="paid_by_outcomes",
        text="Is nobody paid by what the company does, only by what customers get?",
        ask=None,
        next_step="Audit the KPIs (KPI audit) and move the weight of rewards to outcomes.",
    ),
    Question(
        key="may_act_at_once",
        text="May the person the customer talks to put things right without asking upstairs?",
        ask=None,
        next_step="Write down who may spend what (authority) and watch the share resolved without escalation.",
    ),
    Question(
        key="changes_measured",
        text="Is every change judged by its measured effect on customers, cost and revenue?",
        ask=None,
        next_step="Declare initiatives with what is expected of them, and compare afterwards (initiatives).",
    ),
)
"""The ten. Where a question gets its answer from people, the answers file names its key."""
KEYS = tuple(one.key for one in QUESTIONS)


def read_answers(texts: Sequence[str], path: str) -> dict[str, bool]:
    """Answers of people as they are written; TruenorthError with what is none, told as found at ``path``.

    >>> read_answers(["may_act_at_once=no"], "--answer")
    {'may_act_at_once': False}
    """
    parts = [(text, *text.partition("=")[::2]) for text in texts]
    problems = [
        Problem(path=path, expected=f"an answer such as {KEYS[-1]}=yes", found=repr(text), hint=nearest(key, KEYS))
        for text, key, said in parts
        if key not in KEYS or said not in ("yes", "no")
    ]
    if problems:
        raise TruenorthError(problems)
    return {key: said == "yes" for _, key, said in parts}
