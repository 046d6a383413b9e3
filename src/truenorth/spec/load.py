"""Journey files: YAML text to a `Journey`, or every problem of the file at once.

The keys of each part are a table of readers; nothing here knows a clock or a file.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from truenorth.spec.acting import Action
from truenorth.spec.actions import read_actions, read_contact
from truenorth.spec.amounts import read_money_a_day, read_share
from truenorth.spec.authority import read_authority
from truenorth.spec.calendars import read_calendar
from truenorth.spec.conditions import define_flags
from truenorth.spec.document import Element, Listing, Scalar, Table, Unreadable, read_document
from truenorth.spec.model import CANONICAL_TYPES, Calendar, Decision, Journey, Outcome, Promise
from truenorth.spec.problems import InvalidJourney, Problem, nearest
from truenorth.spec.promises import read_promise
from truenorth.spec.readers import (
    Reader,
    Reading,
    child_path,
    named,
    one_of,
    read_condition,
    read_date,
    read_duration,
    read_number,
    read_row,
    read_text,
    read_texts,
)
from truenorth.spec.situations import promises_asked
from truenorth.spec.tokens import ConditionError

VERSION = "1"
"""The version of the language, as in ``truenorth: 1``."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a journey file: the journey, unless it has errors, and all problems sorted by line."""

    name: str
    journey: Journey | None
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the file unusable.

        >>> load_journey("truenorth: 1").errors[0].path
        '$.journey'
        """
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that a journey can live with.

        >>> load_journey("truenorth: 1").warnings
        ()
        """
        return tuple(problem for problem in self.problems if problem.severity == "warning")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a journey as could be read, for `truenorth.spec.lint`: with the paths of its lists and all lines."""

    journey: Journey | None
    problems: tuple[Problem, ...]
    promise_paths: tuple[str, ...] = ()
    decision_paths: tuple[str, ...] = ()
    action_paths: tuple[str, ...] = ()
    lines: Mapping[str, int] = {}

    @classmethod
    def of(cls, journey: Journey) -> Draft:
        """A journey that was not read from a file, with the paths that it would have in one.

        >>> Draft.of(Journey(name="a")).promise_paths
        ()
        """
        return cls(
            journey=journey,
            problems=(),
            promise_paths=tuple(f"$.promises[{index}]" for index in range(len(journey.promises))),
            decision_paths=tuple(f"$.decisions[{index}]" for index in range(len(journey.decisions))),
            action_paths=tuple(f"$.actions[{index}]" for index in range(len(journey.actions))),
        )


def load_journey(source: str | bytes, *, name: str = "<journey>") -> Loaded:
    """The journey of a YAML text, or what is wrong with it: all of it, and never an exception.

    >>> loaded = load_journey("truenorth: 1\\njourney: support\\noutcome: {within: 3 dayz}")
    >>> print(loaded.problems[0])
    line 3, $.outcome.within: expected a duration such as '90s', '15m', '4h', '3d', '2w' or '1d12h', \
found '3 dayz'. Hint: write whole numbers with the units w, d, h, m and s, without spaces
    """
    draft = read_draft(source)
    usable = not any(problem.severity == "error" for problem in draft.problems)
    return Loaded(name=name, journey=draft.journey if usable else None, problems=in_order(draft.problems))


def parse_journey(source: str | bytes) -> Journey:
    """The journey of a YAML text; InvalidJourney carries every error.

    >>> parse_journey("truenorth: 1\\njourney: support\\nmoments: type = 'Call'").name
    'support'
    """
    loaded = load_journey(source)
    if loaded.journey is None:
        raise InvalidJourney(loaded.errors)
    return loaded.journey


def in_order(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems by line; those without one come first.

    >>> in_order((Problem(path="$.b", expected="", found="", line=2), Problem(path="$", expected="", found="")))[0].path
    '$'
    """
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))


def read_draft(source: str | bytes) -> Draft:
    """As much of a journey as can be read.

    >>> read_draft("truenorth: 1").journey.name
    ''
    """
    try:
        element = read_document(source)
    except Unreadable as error:
        return Draft(journey=None, problems=(error.problem,))
    reading = Reading()
    row = read_row(reading, element, "$", JOURNEY_KEYS, required=("truenorth", "journey"))
    if row is None:
        return Draft(journey=None, problems=tuple(reading.problems))
    values = dict(row.values)
    values.pop("truenorth", None)
    promises: tuple[tuple[str, Promise], ...] = values.pop("promises", ())
    decisions: tuple[tuple[str, Decision], ...] = values.pop("decisions", ())
    actions: tuple[tuple[str, Action], ...] = values.pop("actions", ())
    journey = Journey(
        name=values.pop("journey", ""),
        promises=tuple(promise for _, promise in promises),
        decisions=tuple(decision for _, decision in decisions),
        actions=tuple(action for _, action in actions),
        **{_JOURNEY_NAMES.get(key, key): value for key, value in values.items()},
    )
    _check_calendar_names(reading, row.given.get("calendars"), journey, [path for path, _ in promises])
    _check_promise_names(reading, row.given.get("promises"), actions)
    _check_amounts(reading, journey)
    _check_measures(reading, journey)
    _check_flags(reading, journey, row.given)
    return Draft(
        journey=journey,
        problems=tuple(reading.problems),
        promise_paths=tuple(path for path, _ in promises),
        decision_paths=tuple(path for path, _ in decisions),
        action_paths=tuple(path for path, _ in actions),
        lines=reading.lines,
    )


_JOURNEY_NAMES = {"budget": "budget_cents"}


def _check_calendar_names(
    reading: Reading, calendars: Element | None, journey: Journey, promise_paths: list[str]
) -> None:
    known = [key.text for key, _ in calendars.entries] if isinstance(calendars, Table) else []
    uses = [
        (child_path(path, "calendar"), promise.calendar)
        for path, promise in zip(promise_paths, journey.promises, strict=True)
    ]
    of_file = [("$.outcome.calendar", journey.outcome.calendar), ("$.contact.calendar", journey.contact.calendar)]
    for path, name in [*of_file, *uses]:
        if name is not None and name not in known:
            here = Scalar(name, line=reading.lines.get(path, 0))
            hint = nearest(name, known) or "describe it under 'calendars'"
            reading.report(path, here, "the name of a calendar of this file", hint=hint)


def _check_promise_names(reading: Reading, promises: Element | None, actions: tuple[tuple[str, Action], ...]) -> None:
    """See that situations ask about promises of this file, those with errors of their own included."""
    rows = [item for item in promises.items if isinstance(item, Table)] if isinstance(promises, Listing) else []
    known = [part.text for row in rows for key, part in row.entries if key.text == "name" and isinstance(part, Scalar)]
    for path, action in actions:
        for name in promises_asked(action.when) if action.when else ():
            if name not in known:
                where = child_path(path, "when")
                here = Scalar(name, line=reading.lines.get(where, 0))
                reading.report(where, here, "the name of a promise of this file", hint=nearest(name, known))


def _check_amounts(reading: Reading, journey: Journey) -> None:
    """See that nobody may spend without limit: where an action asks for an amount, grants state one."""
    spent = {need.permission for action in journey.actions for need in action.needs if need.amount_cents is not None}
    for part in ("roles", "accredited"):
        for holder, grants in getattr(journey.authority, part).items():
            for grant in grants:
                limits = [limit for limit in grant.limits if limit.unit == "money"]
                if grant.permission in spent and not limits:
                    path = child_path(child_path(f"$.authority.{part}", holder), grant.permission)
                    here = Scalar("", line=reading.lines.get(path, 0))
                    reading.report(
                        path, here, "an amount such as 20/case", found="none, which would be without limit",
                        hint="an action asks for an amount of it; if there is no limit, write a large one",
                    )  # fmt: skip


def _check_measures(reading: Reading, journey: Journey) -> None:
    """Each names a statement that there is, once, and the outcome or a promise that there is."""
    statements, names = journey.canvas.get("outcome", ()), ["outcome", *(promise.name for promise in journey.promises)]
    seen: set[int] = set()
    for index, row in enumerate(journey.canvas.get("measures", ())):
        path = f"$.canvas.measures[{index}]"
        number, name = row["statement"], row["by"]
        here = Scalar(str(number), line=reading.lines.get(f"{path}.statement", 0))
        if number > len(statements):
            found = f"{number}, where canvas.outcome has {len(statements)}"
            reading.report(f"{path}.statement", here, "the number of a statement of canvas.outcome", found=found)
        if number in seen:
            reading.report(f"{path}.statement", here, "each statement once", found=f"{number} a second time")
        seen.add(number)
        if name not in names:
            here = Scalar(name, line=reading.lines.get(f"{path}.by", 0))
            reading.report(f"{path}.by", here, "'outcome' or the name of a promise", hint=nearest(name, names))


def _check_flags(reading: Reading, journey: Journey, given: Mapping[str, Element]) -> None:
    try:
        define_flags(journey.moments, journey.decisions)
    except ConditionError as error:
        key = "decisions" if journey.moments is None else "moments"
        reading.report(f"$.{key}", given.get(key), error.expected, found=error.found, hint=error.hint)


def _read_version(reading: Reading, element: Element, path: str) -> str | None:
    if isinstance(element, Scalar) and element.text == VERSION:
        return element.text
    reading.report(path, element, f"{VERSION}, the version of the language", hint=f"write 'truenorth: {VERSION}'")
    return None


def _read_fields(reading: Reading, element: Element, path: str) -> dict[str, str] | None:
    row = read_row(reading, element, path, dict.fromkeys(CANONICAL_TYPES, read_text))
    return row.values if row else None


def _read_affects(reading: Reading, element: Element, path: str) -> dict[str, tuple[str, ...]] | None:
    row = read_row(reading, element, path, {"helps": read_texts, "harms": read_texts})
    return row.values if row else None


def _read_statement_number(reading: Reading, element: Element, path: str) -> int | None:
    number = read_number(reading, element, path)
    if number is not None and (number < 1 or number != int(number)):
        reading.report(path, element, "the number of a statement of canvas.outcome, from 1")
        return None
    return None if number is None else int(number)


def _read_target(reading: Reading, element: Element, path: str) -> float | None:
    text = element.text.strip() if isinstance(element, Scalar) else ""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        reading.report(path, element, "a share above 0 % and up to 100 %, such as 95%")
        return None
    return share


MEASURE_KEYS: Mapping[str, Reader] = {"statement": _read_statement_number, "by": read_text, "target": _read_target}
"""The keys of what measures a statement of the outcome."""


def _read_measures(reading: Reading, element: Element, path: str) -> tuple[dict[str, object], ...] | None:
    """Which promise, or the outcome, measures which statement."""
    if not isinstance(element, Listing):
        reading.report(path, element, f"a list of mappings with the keys {', '.join(MEASURE_KEYS)}")
        return None
    measures = []
    for index, item in enumerate(element.items):
        row = read_row(reading, item, f"{path}[{index}]", MEASURE_KEYS, required=("statement", "by"))
        if row and {"statement", "by"} <= set(row.values):
            measures.append(row.values)
    return tuple(measures)


CANVAS_KEYS: Mapping[str, Reader] = {
    "customer": read_text,
    "expects": read_text,
    "believes": read_text,
    "affects": _read_affects,
    "outcome": read_texts,
    "measures": _read_measures,
    "one_liner": read_text,
}
"""The six questions of the outcome canvas, and what measures the statements of the fifth."""


def _read_canvas(reading: Reading, element: Element, path: str) -> dict[str, object] | None:
    row = read_row(reading, element, path, CANVAS_KEYS)
    return row.values if row else None


def _read_value(reading: Reading, element: Element, path: str) -> dict[str, float] | None:
    row = read_row(reading, element, path, dict.fromkeys(("achieved", "failed", "abandoned"), read_number))
    return row.values if row else None


OUTCOME_KEYS: Mapping[str, Reader] = {
    "achieved": read_condition,
    "failed": read_condition,
    "within": read_duration,
    "calendar": read_text,
    "holds_for": read_duration,
    "reopened": read_condition,
    "abandoned_after": read_duration,
    "value": _read_value,
}
"""The keys of the outcome and their readers."""

_OUTCOME_NAMES = {"within": "within_us", "holds_for": "holds_for_us", "abandoned_after": "abandoned_after_us"}
_NEEDED_BESIDE = (("reopened", "holds_for"), ("holds_for", "achieved"), ("calendar", "within"))


def _read_outcome(reading: Reading, element: Element, path: str) -> Outcome | None:
    row = read_row(reading, element, path, OUTCOME_KEYS)
    if row is None:
        return None
    for key, needed in _NEEDED_BESIDE:
        if key in row.given and needed not in row.given:
            reading.report(
                child_path(path, key), row.given[key], f"{needed} beside {key}", found=f"{key} without {needed}",
                hint=f"add {needed}, or remove {key}",
            )  # fmt: skip
    return Outcome(**{_OUTCOME_NAMES.get(key, key): value for key, value in row.values.items()})


DECISION_KEYS: Mapping[str, Reader] = {
    "name": read_text,
    "when": read_condition,
    "kind": one_of(("strategic", "regulatory", "operational")),
    "owner": read_text,
    "reason": read_text,
    "reviewed": read_date,
}
"""The keys of a decision and their readers."""


def _read_decisions(reading: Reading, element: Element, path: str) -> tuple[tuple[str, Decision], ...] | None:
    """Decisions with their paths, from one condition or a list of mappings."""
    if isinstance(element, Scalar):
        condition = read_condition(reading, element, path)
        return None if condition is None else ((path, Decision(when=condition)),)
    if not isinstance(element, Listing):
        reading.report(path, element, f"a condition, or a list of mappings with the keys {', '.join(DECISION_KEYS)}")
        return None
    decisions = []
    for index, item in enumerate(element.items):
        where = f"{path}[{index}]"
        reading.lines[where] = item.line
        row = read_row(reading, item, where, DECISION_KEYS, required=("when",))
        if row and "when" in row.values:
            decisions.append((where, Decision(**row.values)))
    return tuple(decisions)


def _read_calendars(reading: Reading, element: Element, path: str) -> dict[str, Calendar] | None:
    if not isinstance(element, Table):
        reading.report(path, element, "a mapping from names to calendars")
        return None
    calendars: dict[str, Calendar] = {}
    seen: set[str] = set()
    for key, part in element.entries:
        where = child_path(path, key.text)
        if key.text in seen:
            reading.report(where, key, f"'{key.text}' once", found="it a second time", hint="remove one")
        seen.add(key.text)
        calendar = read_calendar(reading, part, where, key.text)
        if calendar:
            calendars[key.text] = calendar
    return calendars


def _read_promises(reading: Reading, element: Element, path: str) -> tuple[tuple[str, Promise], ...] | None:
    """Promises with their paths."""
    if not isinstance(element, Listing):
        reading.report(path, element, "a list of promises")
        return None
    promises: dict[str, tuple[str, Promise]] = {}
    for index, item in enumerate(element.items):
        where = f"{path}[{index}]"
        reading.lines[where] = item.line
        promise = read_promise(reading, item, where)
        if promise and promise.name in promises:
            hint = f"{promises[promise.name][0]} has it already"
            reading.report(child_path(where, "name"), item, "a name of its own", found=f"'{promise.name}'", hint=hint)
        elif promise:
            promises[promise.name] = (where, promise)
    return tuple(promises.values())


JOURNEY_KEYS: Mapping[str, Reader] = {
    "truenorth": _read_version,
    "journey": named(r"[^\s/](?:[^/\n]{0,98}[^\s/])?", "a name of at most 100 characters, without /"),
    "title": read_text,
    "currency": read_text,
    "fields": _read_fields,
    "canvas": _read_canvas,
    "only": read_condition,
    "need": read_condition,
    "outcome": _read_outcome,
    "moments": read_condition,
    "decisions": _read_decisions,
    "calendars": _read_calendars,
    "promises": _read_promises,
    "actions": read_actions,
    "contact": read_contact,
    "authority": read_authority,
    "budget": read_money_a_day,
    "holdout": read_share,
    "explore": read_share,
}
"""The keys of a journey file and their readers."""
