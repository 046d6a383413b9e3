"""What `check` warns about: a journey that can be used, but hardly means what it says.

`check_journey` reads a file and reports everything at once: errors, warnings, and with a log's columns also what does
not fit that log (`truenorth.spec.lint_log`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date

import msgspec

from truenorth.spec.expressions import And, Condition, Kind, Node
from truenorth.spec.flags import count_nodes, define_flags, expand_flags
from truenorth.spec.lint_actions import action_problems
from truenorth.spec.lint_log import NOWHERE, log_problems
from truenorth.spec.load import Draft, Loaded, in_order, read_draft
from truenorth.spec.model import CANONICAL_TYPES, Journey, Promise, PromiseKind
from truenorth.spec.problems import Problem
from truenorth.spec.proofs import implies, never_true
from truenorth.spec.tokens import ConditionError, short

VAGUE_WORDS = ("fast", "quick", "efficient", "effective", "timely", "seamless", "world-class")
"""Words that say nothing a customer could check."""

REVIEW_YEARS = 2
"""A decision reviewed longer ago than this is due for another look."""

MAX_PROVED_NODES = 200_000
"""Most nodes of conditions that one check tries to prove something about."""

_VAGUE = re.compile(rf"\b({'|'.join(word.replace('-', '[- ]') for word in VAGUE_WORDS)})\b", re.IGNORECASE)


class Subject(msgspec.Struct, frozen=True):
    """A journey to look at, with where its promises and decisions stand and what its flags mean."""

    journey: Journey
    today: date
    promise_paths: tuple[str, ...]
    decision_paths: tuple[str, ...]
    definitions: Mapping[str, Node]


def check_journey(
    source: str | bytes,
    *,
    today: date,
    columns: Mapping[str, Kind] | None = None,
    values: Mapping[str, Collection[str]] | None = None,
    file_columns: Collection[str] | None = None,
    nowhere: str = NOWHERE,
    name: str = "<journey>",
) -> Loaded:
    """Read a journey file and report all its errors and warnings, sorted by line.

    ``columns`` gives the kind of every field and property of a log, by the names that conditions use, ``values`` the
    distinct values of its text columns that have few, ``file_columns`` the file's own column names; without them
    nothing is said about a log. ``nowhere`` says of a field that is in no column where that was looked for.

    >>> text = "truenorth: 1\\njourney: a\\ncanvas: {outcome: [A fast answer]}\\noutcome: {achieved: type = 'b'}"
    >>> print(check_journey(text, today=date(2024, 1, 1)).warnings[0])
    line 3, $.canvas.outcome[0]: expected a number that can be checked, found the vague word 'fast' in \
'A fast answer'. Hint: give the number, such as 'within 3 days'
    """
    draft = read_draft(source)
    found = list(draft.problems)
    if draft.journey is not None:
        found += lint_journey(draft, today=today)
        if columns is not None:
            found += log_problems(draft, columns, values or {}, file_columns, nowhere)
    errors = [problem.path for problem in found if problem.severity == "error"]
    kept = [problem for problem in found if problem.severity == "error" or not _is_beside(problem.path, errors)]
    problems = _in_place(draft, kept)
    return Loaded(name=name, journey=None if errors else draft.journey, problems=problems)


def in_place(source: str | bytes, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Problems found later, with the lines of a journey file at which they are, in their order.

    >>> found = [Problem(path="$.promises[0].total", expected="numbers", found="text")]
    >>> in_place("truenorth: 1\\njourney: a\\npromises:\\n- {name: p, at_most: 1, total: x}", found)[0].line
    4
    """
    return _in_place(read_draft(source), problems)


def _in_place(draft: Draft, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return in_order(tuple(_with_line(problem, draft.lines) for problem in problems))


def lint_journey(journey: Journey | Draft, *, today: date) -> list[Problem]:
    """Warnings about a journey by itself.

    >>> [problem.path for problem in lint_journey(Journey(name="a"), today=date(2024, 1, 1))]
    ['$.canvas.outcome', '$.outcome.achieved']
    """
    draft = journey if isinstance(journey, Draft) else Draft.of(journey)
    subject = _subject(draft, today)
    return [problem for check in CHECKS for problem in check(subject)] + list(action_problems(draft)) if subject else []


def _subject(draft: Draft, today: date) -> Subject | None:
    if draft.journey is None:
        return None
    try:
        definitions = define_flags(draft.journey.moments, draft.journey.decisions)
    except ConditionError:  # an error of its own, reported on reading
        definitions = {}
    return Subject(draft.journey, today, draft.promise_paths, draft.decision_paths, definitions)


def _is_beside(path: str, errors: list[str]) -> bool:
    """Whether a place is part of one that has errors: what is missing there may be what could not be read."""
    return any(path == error or path.startswith((f"{error}.", f"{error}[")) for error in errors if error != "$")


def _with_line(problem: Problem, lines: Mapping[str, int]) -> Problem:
    if problem.line is not None:
        return problem
    path = problem.path
    while path not in lines and path != "$" and path:
        path = path[: max(path.rfind("."), path.rfind("["))]
    return msgspec.structs.replace(problem, line=lines.get(path))


def _warning(path: str, expected: str, found: str, hint: str = "") -> Problem:
    return Problem(path=path, expected=expected, found=found, hint=hint, severity="warning")


# --- the canvas and the outcome ---------------------------------------------------------------------------------------


def _vague_words(subject: Subject) -> Iterator[Problem]:
    for index, statement in enumerate(subject.journey.canvas.get("outcome", ())):
        words = ", ".join(f"'{word}'" for word in dict.fromkeys(_VAGUE.findall(statement)))
        if words:
            found = f"the vague word{'s' * (',' in words)} {words} in '{short(statement)}'"
            yield _warning(
                f"$.canvas.outcome[{index}]", "a number that can be checked", found,
                "give the number, such as 'within 3 days'",
            )  # fmt: skip


def _no_canvas_outcome(subject: Subject) -> Iterator[Problem]:
    if not subject.journey.canvas.get("outcome"):
        yield _warning(
            "$.canvas.outcome", "the successful customer outcome as statements that can be measured", "nothing",
            "a journey without one measures work, not what the customer came for",
        )  # fmt: skip


def _no_outcome(subject: Subject) -> Iterator[Problem]:
    if subject.journey.outcome.achieved is None:
        hint = "without it no case can succeed: outcome: {achieved: type = '...'}"
        yield _warning("$.outcome.achieved", "the condition of a successful outcome", "nothing", hint)


def _hold_without_reopening(subject: Subject) -> Iterator[Problem]:
    outcome = subject.journey.outcome
    if outcome.holds_for_us and outcome.reopened is None:
        yield _warning(
            "$.outcome.holds_for", "reopened beside holds_for", "holds_for alone",
            "nothing can reopen a case; holds_for only delays its outcome",
        )  # fmt: skip


# --- conditions that decide nothing -----------------------------------------------------------------------------------


class _Prover:
    """Proofs about a journey's conditions with their flags written out, within one budget."""

    def __init__(self, subject: Subject) -> None:
        self.definitions = subject.definitions
        self.only = subject.journey.only
        self.n_left = MAX_PROVED_NODES

    def tree(self, condition: Condition) -> Node | None:
        try:
            tree = expand_flags(condition.tree, self.definitions)
        except ConditionError:
            return None
        self.n_left -= count_nodes(tree)
        return tree if self.n_left >= 0 else None

    def is_never(self, condition: Condition | None) -> bool:
        """Whether no event of the journey can satisfy a condition that is given."""
        if condition is None or self.n_left < 0:
            return False
        tree = self.tree(condition)
        if tree is None or self.only is None or self.only is condition:
            return tree is not None and never_true(tree)
        only = self.tree(self.only)
        return never_true(tree if only is None else And((only, tree)))

    def implies(self, premise: Condition | None, conclusion: Condition | None) -> bool:
        if premise is None or conclusion is None or self.n_left < 0:
            return False
        narrow, wide = self.tree(premise), self.tree(conclusion)
        return narrow is not None and wide is not None and implies(narrow, wide)

    def exclude(self, one: Condition | None, other: Condition | None) -> bool:
        """Whether no event can satisfy both."""
        if one is None or other is None or self.n_left < 0:
            return other is None
        trees = self.tree(one), self.tree(other)
        return trees[0] is not None and trees[1] is not None and never_true(And((trees[0], trees[1])))


def _conditions_never_true(subject: Subject) -> Iterator[Problem]:
    prover, journey = _Prover(subject), subject.journey
    places = [
        ("$.only", journey.only, "the journey has no events"),
        ("$.need", journey.need, "no case ever opens"),
        ("$.outcome.achieved", journey.outcome.achieved, "no case can succeed"),
        ("$.outcome.failed", journey.outcome.failed, "leave it out"),
        ("$.outcome.reopened", journey.outcome.reopened, "leave it out"),
        ("$.moments", journey.moments, "no event counts as a moment"),
        *(
            (path if path == "$.decisions" else f"{path}.when", decision.when, "the rule is never applied")
            for path, decision in zip(subject.decision_paths, journey.decisions, strict=True)
        ),
    ]
    for path, condition, hint in places:
        if condition is not None and prover.is_never(condition):
            yield _warning(path, "a condition that some event can satisfy", f"'{short(condition.text)}'", hint)


_ENDLESS = "a promise that can be broken"
_IDLE = "a promise that can be triggered"
_HOPELESS = "a promise that can be kept"

DEAD_KEYS: Mapping[PromiseKind, tuple[tuple[str, str], ...]] = {
    PromiseKind.RESPONSE: (("after", _IDLE), ("expect", _HOPELESS)),
    PromiseKind.RHYTHM: (("expect", _HOPELESS),),
    PromiseKind.ABSENCE: (("after", _IDLE), ("never", _ENDLESS)),
    PromiseKind.LIMIT: (("after", _IDLE), ("of", _ENDLESS)),
    PromiseKind.TOTAL: (("after", _IDLE), ("where", _ENDLESS)),
    PromiseKind.PRECEDENCE: (("before", _IDLE), ("require", _HOPELESS)),
}
"""By kind: the keys whose condition must be possible, and what the promise is without it."""


def _promises_that_decide_nothing(subject: Subject) -> Iterator[Problem]:
    prover = _Prover(subject)
    for path, promise in zip(subject.promise_paths, subject.journey.promises, strict=True):
        for key, expected in DEAD_KEYS[promise.kind]:
            condition: Condition | None = getattr(promise, key)
            if condition is not None and prover.is_never(condition):
                found = f"'{key}: {short(condition.text)}', which no event satisfies"
                yield _warning(f"{path}.{key}", expected, found)
        yield from _starts_too_late(subject, prover, path, promise)
        yield from _adds_up_nothing(path, promise)


def _starts_too_late(subject: Subject, prover: _Prover, path: str, promise: Promise) -> Iterator[Problem]:
    """A trigger that ends the case starts nothing; one that resolves it starts no response."""
    outcome = subject.journey.outcome
    ends_by_success = outcome.holds_for_us is None or (
        promise.kind is PromiseKind.RESPONSE and prover.exclude(promise.after, outcome.reopened)
    )
    if prover.implies(promise.after, outcome.failed):
        ending = "outcome.failed"
    elif ends_by_success and prover.implies(promise.after, outcome.achieved):
        ending = "outcome.achieved"
    else:
        return
    hint = "a promise about the time after success needs holds_for"
    hint = "promise it after an earlier event" if outcome.holds_for_us or ending.endswith("failed") else hint
    yield _warning(f"{path}.after", _IDLE, f"an event that ends the case first ({ending})", hint)


def _adds_up_nothing(path: str, promise: Promise) -> Iterator[Problem]:
    kind = CANONICAL_TYPES.get(promise.total or "", "number")
    if kind != "number":
        yield _warning(f"{path}.total", _ENDLESS, f"the total of '{promise.total}', which holds {kind}")


# --- decisions --------------------------------------------------------------------------------------------------------


def _decisions_to_review(subject: Subject) -> Iterator[Problem]:
    for path, decision in zip(subject.decision_paths, subject.journey.decisions, strict=True):
        missing = [
            what for what, value in (("reason", decision.reason), ("review date", decision.reviewed)) if value is None
        ]
        if missing:
            alone = path == "$.decisions"
            entry = "reason: ..., reviewed: 2024-05-31"
            hint = f"write decisions as a list: - {{when: ..., {entry}}}" if alone else f"add {entry}"
            found = f"no {' and no '.join(missing)}"
            yield _warning(path, "a decision with a reason and a review date", found, hint)
        if decision.reviewed is not None and decision.reviewed < years_before(subject.today, REVIEW_YEARS):
            yield _warning(
                f"{path}.reviewed", f"a review within {REVIEW_YEARS} years", decision.reviewed.isoformat(),
                "is the reason for this rule still there?",
            )  # fmt: skip


def years_before(day: date, n_years: int) -> date:
    """The same day some years earlier; 28 February where there is no 29th.

    >>> years_before(date(2024, 2, 29), 2)
    datetime.date(2022, 2, 28)
    """
    year = max(day.year - n_years, 1)
    return date(year, 2, 28) if (day.month, day.day) == (2, 29) and year % 4 else day.replace(year=year)


CHECKS: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    _vague_words,
    _no_canvas_outcome,
    _no_outcome,
    _hold_without_reopening,
    _conditions_never_true,
    _promises_that_decide_nothing,
    _decisions_to_review,
)
"""Everything that is looked at without a log."""
