"""Learning from a store's log: the same frames and the same replay as when risks are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import polars as pl

from truenorth.engine.replay import Replay, replay
from truenorth.foresight.backtest import Asked, Backtest, backtest
from truenorth.foresight.features import Vocabulary, columns_of, table_of_replay, vocabulary_of_replay
from truenorth.foresight.learnt import refit
from truenorth.foresight.model import Foresight
from truenorth.foresight.train import Effort
from truenorth.identity import Identities
from truenorth.server.columns import Records, records
from truenorth.server.foreseeing.frames import Attributes, Frames, Looking
from truenorth.server.who_is_who import everybody
from truenorth.spec.instants import instant_at
from truenorth.spec.load import parse_journey
from truenorth.spec.model import Journey
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.foresight_rows import ModelRow
from truenorth.store.opening import Store

PAGE_EVENTS = 10_000

Tell = Callable[[str, float], None]


class Taught(NamedTuple):
    """What was learnt, how it did on held-out time, and the row under which a store keeps it."""

    foresight: Foresight
    found: Backtest
    row: ModelRow


class Judged(NamedTuple):
    """A store's log judged by one journey, and how its attributes were read."""

    journey: Journey
    replay: Replay
    attributes: Attributes


def judged_log(
    store: Store, name: str, tell: Tell, *, until_us: int | None = None, without: Sequence[str] = ()
) -> Judged:
    """The whole log of a store, archived events too, judged by the live version of a journey.

    ``until_us``: as it was at an instant; ``without``: columns that are not to teach. `TruenorthError` where
    there is no such journey or no event.
    """
    text = store.journeys.newest_live(name)
    if text is None:
        known = ", ".join(one.name for one in store.journeys.live()) or "none"
        raise TruenorthError([Problem(path="--journey", expected=f"a live journey: {known}", found=repr(name))])
    return judged_by(store, parse_journey(text.text), tell, until_us=until_us, without=without)


def judged_by(
    store: Store, journey: Journey, tell: Tell, *, until_us: int | None = None, without: Sequence[str] = ()
) -> Judged:
    """The same by a journey that need not be live; `TruenorthError` where there is no event."""
    return judged_by_all(store, [journey], tell, until_us=until_us, without=without)[0]


def judged_by_all(
    store: Store,
    journeys: Sequence[Journey],
    tell: Tell,
    *,
    up_to: int | None = None,
    until_us: int | None = None,
    without: Sequence[str] = (),
) -> list[Judged]:
    """The same by several journeys, for which the log is read once; ``up_to``: a position, None for all of it."""
    last = store.events.last_position() if up_to is None else up_to
    people, looking = everybody(store.events, last), [Looking(journey) for journey in journeys]
    for page in _pages(store, people, last, tell, "looking at columns"):
        for one in looking:
            one.look(page)
    frames = [Frames(journey, one.attributes) for journey, one in zip(journeys, looking, strict=True)]
    parts: list[list[pl.DataFrame]] = [[] for _ in journeys]
    for page in _pages(store, people, last, tell, "reading events"):
        for found, some, one in zip(parts, frames, looking, strict=True):
            found.append(some.frame(one.sight, page))
    if not all(parts):
        hint = "send events first, or 'truenorth import' a log"
        raise TruenorthError(
            [Problem(path=store.database.name, expected="events to learn from", found="none", hint=hint)]
        )
    now = None if until_us is None else instant_at(until_us)
    return [
        Judged(
            journey,
            replay(journey, pl.concat(found), now=now),
            msgspec.structs.replace(one.attributes, without=tuple(without)),
        )
        for journey, found, one in zip(journeys, parts, looking, strict=True)
    ]


def taught(
    judged: Judged,
    asked: Asked,
    effort: Effort,
    *,
    seed: int,
    now_us: int,
    tell: Tell,
    again_for_work_only: bool = False,
) -> Taught:
    """Learn at an instant of the past and judge on what came after; then learn again from all cases that have ended.

    What is judged has the vocabulary of the events before the instant, so that held-out time teaches nothing. With
    ``again_for_work_only`` a model that is no better than guessing stays as it was judged.
    """
    journey, whole, attributes = judged
    tell("making rows", 0.0)
    before = vocabulary_of_replay(
        journey, whole, before_us=_split_us(whole, asked.test_share), without=attributes.without
    )
    found, foresight = backtest(
        table_of_replay(journey, whole, before), seed=seed, asked=asked, effort=effort, tell=tell
    )
    vocabulary = before
    if found.verdict.live or not again_for_work_only:
        vocabulary = vocabulary_of_replay(journey, whole, without=attributes.without)
        foresight = refit(table_of_replay(journey, whole, vocabulary), foresight, seed=seed, effort=effort, tell=tell)
    known = {"vocabulary": msgspec.msgpack.encode(vocabulary), "metrics": msgspec.to_builtins(found)}
    learnt = msgspec.structs.replace(foresight, journey=journey.name, **known)
    return Taught(learnt, found, row_of(learnt, vocabulary, attributes, now_us))


def row_of(learnt: Foresight, vocabulary: Vocabulary, attributes: Attributes, now_us: int) -> ModelRow:
    """The row under which a store keeps a model."""
    features = [{"name": column.name, "words": column.words} for column in columns_of(vocabulary)]
    return ModelRow(
        journey=learnt.journey,
        version=learnt.version,
        made_us=now_us,
        data_from_us=learnt.data_from_us,
        data_to_us=learnt.data_to_us,
        n_cases=learnt.n_cases,
        beats=learnt.verdict.live,
        why=learnt.verdict.why,
        threshold=learnt.threshold,
        sight=msgspec.json.encode(attributes.only(vocabulary.fields)),
        features=msgspec.json.encode(features),
        metrics=msgspec.json.encode(learnt.metrics),
    )


def _split_us(whole: Replay, share: float) -> int:
    opened = whole.cases["opened"].to_physical().sort()
    return int(opened[min(len(opened) - 1, int((1.0 - share) * len(opened)))]) if len(opened) else 0


def _pages(store: Store, people: Identities, last: int, tell: Tell, what: str) -> Iterator[Records]:
    at = 0
    while page := [one for one in store.events.read(at, limit=PAGE_EVENTS) if one.position <= last]:
        at = page[-1].position
        tell(what, min(1.0, at / max(last, 1)))
        yield records(page, people.person)
