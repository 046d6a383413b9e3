"""The columns of the features, by block, in words: what `truenorth.foresight.encoding` fills."""

from __future__ import annotations

from functools import lru_cache

from truenorth.foresight.rows import Column
from truenorth.foresight.vocabulary import Category, Number, Term, Vocabulary
from truenorth.spec.wording import name_in_words

MOST_COUNTED = 12
"""Of so many values of an attribute of events, the most common, it is counted how many events had them."""

OTHER = "(other)"
"""The category of a value that is not kept."""


@lru_cache(maxsize=64)
def blocks_of(vocabulary: Vocabulary) -> tuple[tuple[str, tuple[Column, ...]], ...]:
    """The blocks of columns, in order: which walk fills them, and what they are."""
    blocks = [("course", _course(vocabulary)), ("types", _types(vocabulary)), ("clock", _clock())]
    if vocabulary.is_judged:
        blocks += [("flagged", _flagged()), ("outcome", _outcome()), ("promises", _promises(vocabulary.terms))]
    blocks += [("number", _number(one)) for one in vocabulary.numbers]
    blocks += [("category", _category(one)) for one in vocabulary.categories]
    return (*blocks, ("earlier", _earlier()), ("load", _load(vocabulary.owner or "owner")))


@lru_cache(maxsize=64)
def columns_of(vocabulary: Vocabulary) -> tuple[Column, ...]:
    """All columns, in order.

    >>> [column.words for column in columns_of(Vocabulary(types=("Asked",)))][:3]
    ['number of events', 'number of different types', 'number of different owners']
    """
    return tuple(column for _, columns in blocks_of(vocabulary) for column in columns)


def _numbers(*named: tuple[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, words) for name, words in named)


def _course(vocabulary: Vocabulary) -> tuple[Column, ...]:
    owner, types = vocabulary.owner or "owner", (*vocabulary.types, OTHER)
    return (
        *_numbers(
            ("n_events", "number of events"),
            ("n_types", "number of different types"),
            ("n_owners", f"number of different {owner}s"),
            ("n_owner_changes", f"times the {owner} changed"),
            ("n_same_type", "times the last type came again without a break"),
            ("hours_open", "hours since the case opened"),
            ("hours_silent", "hours since the last event"),
            ("hours_last_gap", "hours between the last two events"),
            ("hours_mean_gap", "mean hours between events"),
            ("hours_longest_gap", "longest silence between events in hours"),
        ),
        Column("last_type", "last event", "category", types),
        Column("last_type_2", "event before the last", "category", types),
        Column("last_type_3", "second event before the last", "category", types),
    )


def _types(vocabulary: Vocabulary) -> tuple[Column, ...]:
    return tuple(
        column
        for name in (*vocabulary.types, OTHER)
        for column in _numbers(
            (f"n:type={name}", f"times '{name}' happened"),
            (f"hours_since:type={name}", f"hours since '{name}'"),
            (f"hours_at:type={name}", f"hours at '{name}'"),
        )
    )


def _clock() -> tuple[Column, ...]:
    return _numbers(
        ("hour", "hour of the day"),
        ("weekday", "day of the week (Monday 0)"),
        ("hour_sin", "time of day (sine)"),
        ("hour_cos", "time of day (cosine)"),
        ("week_sin", "time of week (sine)"),
        ("week_cos", "time of week (cosine)"),
    )


def _flagged() -> tuple[Column, ...]:
    return _numbers(
        ("n_moments", "number of moments"),
        ("n_decisions", "number of decisions"),
        ("n_internal", "number of internal events"),
        ("n_handovers", "number of hand-overs"),
        ("n_reopened", "times reopened"),
        ("resolved", "resolved for now"),
        ("hours_since_moment", "hours since the last moment"),
        ("handovers_per_moment", "hand-overs per moment"),
    )


def _outcome() -> tuple[Column, ...]:
    return _numbers(
        ("hours_to_limit", "hours left for the outcome"),
        ("open_hours_to_limit", "open hours left for the outcome"),
        ("hours_to_abandoned", "hours of silence left until the case counts as abandoned"),
    )


def _promises(terms: tuple[Term, ...]) -> tuple[Column, ...]:
    whole = _numbers(
        ("n_active", "promises under way"),
        ("n_timed", "promises with a deadline under way"),
        ("n_kept", "promises kept"),
        ("n_broken", "promises broken"),
        ("hours_to_due", "hours to the next deadline of a promise"),
        ("hours_since_broken", "hours since a promise broke"),
    )
    return (*whole, *(column for term in terms for column in _term(term.name)), *_open_hours(terms))


def _term(name: str) -> tuple[Column, ...]:
    called = f"promise '{name_in_words(name)}'"
    return _numbers(
        (f"active:promise={name}", f"{called} under way"),
        (f"hours_to_due:promise={name}", f"hours left for {called}"),
        (f"n_kept:promise={name}", f"times {called} was kept"),
        (f"n_broken:promise={name}", f"{called} broken"),
        (f"hours_since_broken:promise={name}", f"hours since {called} broke"),
        (f"hours_active:promise={name}", f"hours into {called}"),
    )


def _open_hours(terms: tuple[Term, ...]) -> tuple[Column, ...]:
    named = [term.name for term in terms if term.calendar and term.is_timed]
    return _numbers(
        *((f"open_hours_to_due:promise={one}", f"open hours left for promise '{name_in_words(one)}'") for one in named)
    )


def _number(one: Number) -> tuple[Column, ...]:
    name = one.name
    if one.of_case:
        return _numbers((f"{name}", f"{name}"))
    return _numbers(
        (f"last:{name}", f"last {name}"),
        (f"first:{name}", f"first {name}"),
        (f"min:{name}", f"least {name}"),
        (f"max:{name}", f"largest {name}"),
        (f"mean:{name}", f"mean {name}"),
        (f"sum:{name}", f"sum of {name}"),
    )


def _category(one: Category) -> tuple[Column, ...]:
    name, values = one.name, (*one.values, OTHER)
    if one.of_case:
        return (Column(name, name, "category", values),)
    return (
        Column(f"last:{name}", f"last {name}", "category", values),
        Column(f"first:{name}", f"first {name}", "category", values),
        Column(f"n:{name}", f"number of different {name}s"),
        *(Column(f"n:{name}={value}", f"events with {name} '{value}'") for value in one.values[:MOST_COUNTED]),
    )


def _earlier() -> tuple[Column, ...]:
    return _numbers(
        ("earlier_cases", "earlier cases of the customer"),
        ("earlier_good", "earlier cases of the customer that ended well"),
        ("earlier_bad", "earlier cases of the customer that ended badly"),
        ("earlier_last_bad", "the customer's last case ended badly"),
        ("earlier_days_since", "days since the customer's last case closed"),
    )


def _load(owner: str) -> tuple[Column, ...]:
    return _numbers(
        *((f"opened_{name}", f"cases opened in the last {name}") for name in ("hour", "day", "week", "month")),
        *((f"events_{name}", f"events of all cases in the last {name}") for name in ("hour", "day", "week", "month")),
        ("rush", "cases opened in the last day, against the week's mean day"),
        ("stage_in", "cases that came to this stage in the last week"),
        ("stage_out", "cases that left this stage in the last week"),
        ("stage_wait", "mean hours that cases waited at this stage in the last month"),
        ("owner_day", f"cases that this {owner} got in the last day"),
        ("owner_week", f"cases that this {owner} got in the last week"),
        ("open_cases", "open cases"),
        ("stage_queue", "open cases at this stage"),
        ("owner_queue", f"open cases with this {owner}"),
    )
