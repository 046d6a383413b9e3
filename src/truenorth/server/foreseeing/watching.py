"""Models judge themselves: on cases that have ended since, and on whether cases still look like those learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.backtest import Asked
from truenorth.foresight.features import table_of_replay
from truenorth.foresight.model import Foresight
from truenorth.foresight.rows import NEVER, Table
from truenorth.foresight.told import backtest_of
from truenorth.foresight.train import Effort
from truenorth.foresight.watch import FEWEST, Alarm, Alarmed, Health, Matured, alarmed, drift, health, unlike
from truenorth.server.foreseeing.foreseer import known_of
from truenorth.server.foreseeing.promoting import found
from truenorth.server.foreseeing.teaching import Tell, judged_log, taught
from truenorth.store.opening import Store

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

PAGE_POINTS = 10_000
WORSE = 0.1
"""A calibration error from which a new model is proposed even where no test raises an alarm."""


class Proposal(msgspec.Struct, frozen=True):
    """A model that was learnt instead: its version (it is kept as a shadow), and how it did on held-out time."""

    version: str
    is_new: bool
    beats: bool
    why: str
    metrics: dict[str, Any]


class Seen(msgspec.Struct, frozen=True):
    """One look: what has matured from ``since_us`` to ``until_us``, alarms, what is proposed; ``words`` sum it up.

    ``alarmed``: what became of the cases that were at risk, and of the others.
    """

    since_us: int
    until_us: int
    n_matured: int
    health: Health | None
    alarms: tuple[Alarm, ...]
    words: str
    proposal: Proposal | None = None
    alarmed: Alarmed | None = None


_SEEN = msgspec.json.Decoder(Seen)


class _Window(NamedTuple):
    """Rows, one a case, and outcomes as codes."""

    x: F32
    outcome: I64


def look(
    store: Store, journey: str, version: str, *, propose: bool, effort: Effort, seed: int, now_us: int, tell: Tell
) -> Seen:
    """Look at a model and keep what is seen. ``propose``: learn another one where this one does badly.

    Windows do not overlap: each begins where the one before ended, the first where the model's data end.
    """
    row = found(store, journey, version)
    since_us = _since_us(store, journey, version, row.data_to_us)
    tell("reading what has matured", 0.0)
    matured = matured_of(store, journey, version, since_us)
    known = known_of(store, row)
    judged = judged_log(store, journey, tell, until_us=now_us, without=known.attributes.without)
    table = table_of_replay(judged.journey, judged.replay, known.vocabulary, in_silence=False)
    before, now = _window(table, 0, row.data_to_us, seed), _window(table, since_us, now_us, seed)
    tell("comparing", 0.9)
    n_matured = len(np.unique(matured.case))
    how, told = None, None
    if n_matured >= FEWEST:
        how, told = health(matured, seed), alarmed_of(matured, known.foresight)
    outcomes = before.outcome, now.outcome
    alarms = drift(known.foresight.columns, before.x, now.x, outcomes=outcomes, matured=matured, told=told)
    proposal = None
    if propose and (alarms or (how is not None and how.calibration_error > WORSE)):
        learnt = taught(judged, Asked(), effort, seed=seed, now_us=now_us, tell=tell)
        is_new = store.models.add(learnt.row, learnt.foresight.to_bytes())
        metrics = msgspec.to_builtins(learnt.found)
        proposal = Proposal(learnt.row.version, is_new, learnt.row.beats, learnt.row.why, metrics)
    columns = {column.name: column.words for column in known.foresight.columns}
    words = words_of_look(how, told, n_matured, alarms, columns)
    seen = Seen(since_us, now_us, n_matured, how, alarms, words, proposal, told)
    store.models.note_look(journey, version, msgspec.json.encode(seen), now_us=now_us)
    return seen


def matured_of(store: Store, journey: str, version: str, since_us: int) -> Matured:
    """The risks that a model told of cases which have ended since an instant, and what became of them."""
    after, codes = ("", 0), dict[str, int]()
    risk: list[float] = []
    failed: list[bool] = []
    case: list[int] = []
    while page := store.risks.matured(journey, version, since_us=since_us, after=after, limit=PAGE_POINTS):
        after = (page[-1].case, page[-1].number)
        for point in page:
            if point.at_us <= point.ended_us:
                risk.append(point.p_failed)
                failed.append(point.outcome != "achieved")
                case.append(codes.setdefault(point.case, len(codes)))
    return Matured(np.array(risk), np.array(failed, bool), np.array(case, np.int32))


def alarmed_of(matured: Matured, foresight: Foresight) -> Alarmed | None:
    """What became of alarmed cases, against the precision asked for: where that was not reached, the one found then.

    None where nothing is known of it.
    """
    before = backtest_of(foresight.metrics)
    if before is None:
        return None
    asked = before.lead.asked_precision if before.lead.reached_on_validation else before.lead.precision.value
    return alarmed(matured, foresight.threshold, asked) if asked > 0.0 else None


def _since_us(store: Store, journey: str, version: str, data_to_us: int) -> int:
    looks = store.models.looks(journey, version, limit=1)
    return max(data_to_us, _SEEN.decode(looks[0].body).until_us) if looks else data_to_us


def _window(table: Table, from_us: int, to_us: int, seed: int) -> _Window:
    """One row, by chance, of each case opened in a time; the outcomes of those that ended in it."""
    cases, rows = table.cases, table.rows
    opened = (cases.opened_us >= from_us) & (cases.opened_us < to_us)
    chosen = np.flatnonzero(opened[rows.case] & (rows.time_us < to_us))
    shuffled = np.random.default_rng(seed).permutation(chosen)
    _, first = np.unique(rows.case[shuffled], return_index=True)
    ended = (cases.ended_us >= from_us) & (cases.ended_us < min(to_us, NEVER)) & (cases.outcome >= 0)
    return _Window(rows.x[np.sort(shuffled[first])], cases.outcome[ended].astype(np.int64))


def words_of_look(
    how: Health | None, told: Alarmed | None, n_matured: int, alarms: tuple[Alarm, ...], columns: Mapping[str, str]
) -> str:
    """What a look has seen, in one sentence: columns that have drifted are named together, by their words."""
    if how is None:
        said = f"{n_matured} cases have ended since: at least {FEWEST} are needed to judge risks by"
    else:
        said = (
            f"{how.n_cases} cases have ended since: over all predictions of them {100 * how.said:.0f} % were said to "
            f"fail, {100 * how.came:.0f} % did; AUC {how.auc.value:.2f} ({how.auc.low:.2f} to {how.auc.high:.2f})"
        )
    drifted = [columns[alarm.what] for alarm in alarms if alarm.kind == "input"]
    others = [alarm.words for alarm in alarms if alarm.kind != "input"]
    if told is not None and not any(alarm.kind == "cost" for alarm in alarms):
        others.insert(0, told.words)
    return "; ".join([said, *others, *([unlike(drifted)] if drifted else [])])
