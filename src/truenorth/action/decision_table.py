"""Logged decisions as a table that people have, read into columns to learn from; every problem of it at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.action.values import DO_NOTHING, Logged
from truenorth.spec.problems import Problem, TruenorthError

NEEDED = ("action", "propensity", "value", "cost")
KNOWN = (*NEEDED, "achieved", "eligible", "customer", "case", "time", "holdout", "stake")
MOST_WORDS = 50
"""A text column with more values is no context: it names things rather than kinds of things."""


class Table(NamedTuple):
    """A log with what is at stake in each row and what each action costs, in cents."""

    log: Logged
    stake_cents: NDArray[np.float64]
    cost_cents: NDArray[np.float64]


def read_table(frame: pl.DataFrame) -> Table:
    """The columns ``action``, ``propensity``, ``value``, ``cost`` (money); and where there are any:

    ``achieved`` (0 or 1), ``eligible`` (a list of names; else everything), ``customer``, ``holdout``, ``stake`` (money;
    else the mean value of achieved rows less that of others). All other columns are context: numbers as they
    are, texts and booleans as 0 and 1 for each value. `TruenorthError` with all problems.
    """
    _check(frame)
    frame = frame.with_columns(pl.col("action").fill_null(DO_NOTHING))
    actions = (DO_NOTHING, *sorted(_names(frame) - {DO_NOTHING}))
    n, code = frame.height, {name: place for place, name in enumerate(actions)}
    action = frame["action"].replace_strict(code, return_dtype=pl.Int64).to_numpy()
    value = _numbers(frame, "value") * 100
    achieved = (
        _numbers(frame, "achieved") if "achieved" in frame.columns else np.where(np.isnan(value), np.nan, value > 0)
    )
    context, names = _context(frame)
    cost = _numbers(frame, "cost") * 100
    eligible = _eligible(frame, actions)
    log = Logged(
        names=names,
        actions=actions,
        context=context,
        action=action,
        propensity=_numbers(frame, "propensity"),
        eligible=eligible,
        chances=eligible / eligible.sum(1, keepdims=True),
        achieved=achieved,
        value_cents=value,
        cost_cents=cost,
        time_us=np.arange(n),
        holdout=frame["holdout"].to_numpy() if "holdout" in frame.columns else np.zeros(n, np.bool_),
        unit=frame["customer"].rank("dense").fill_null(0).to_numpy().astype(np.int64)
        if "customer" in frame.columns
        else np.arange(n),
    )
    costs = np.array([cost[action == a].mean() if (action == a).any() else 0.0 for a in range(len(actions))])
    return Table(log, _stake(frame, log), costs)


def _check(frame: pl.DataFrame) -> None:
    problems = [
        Problem(path=name, expected="a column of this name", found="none", hint=f"needed are {', '.join(NEEDED)}")
        for name in NEEDED
        if name not in frame.columns
    ]
    if not problems and not frame.height:
        problems.append(Problem(path="rows", expected="at least one decision", found="none"))
    if (
        not problems
        and not frame["propensity"].cast(pl.Float64).is_between(0, 1, closed="right").fill_null(False).all()
    ):
        hint = "log the chance with which the policy chose what it chose; without it nothing can be evaluated"
        problems.append(Problem(path="propensity", expected="numbers above 0, at most 1", found="others", hint=hint))
    if problems:
        raise TruenorthError(problems)


def _names(frame: pl.DataFrame) -> set[str]:
    names = set(frame["action"].to_list())
    return names | set(frame["eligible"].explode().drop_nulls().to_list()) if "eligible" in frame.columns else names


def _numbers(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    return frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _eligible(frame: pl.DataFrame, actions: tuple[str, ...]) -> NDArray[np.bool_]:
    if "eligible" not in frame.columns:
        return np.ones((frame.height, len(actions)), np.bool_)
    named = [frame["eligible"].list.contains(name).fill_null(False).to_numpy() for name in actions]
    eligible = np.column_stack(named)
    eligible[:, 0] = True
    eligible |= np.array(actions) == frame["action"].to_numpy()[:, None]
    return eligible


def _stake(frame: pl.DataFrame, log: Logged) -> NDArray[np.float64]:
    if "stake" in frame.columns:
        return _numbers(frame, "stake") * 100
    good, bad = log.value_cents[log.achieved >= 0.5], log.value_cents[log.achieved < 0.5]
    return np.full(frame.height, float(good.mean() - bad.mean()) if len(good) and len(bad) else 0.0)


def _context(frame: pl.DataFrame) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    columns: dict[str, NDArray[np.float64]] = {}
    for column in frame.select(pl.exclude(*KNOWN)).iter_columns():
        if column.dtype.is_numeric():
            columns[column.name] = column.cast(pl.Float64).fill_null(0.0).fill_nan(0.0).to_numpy()
        elif column.dtype in (pl.String, pl.Categorical, pl.Boolean) and column.n_unique() <= MOST_WORDS:
            words = column.cast(pl.String)
            columns |= {
                f"{column.name}={word}": (words == word).fill_null(False).cast(pl.Float64).to_numpy()
                for word in sorted(words.drop_nulls().unique())
            }
    stacked = np.column_stack(list(columns.values())) if columns else np.zeros((frame.height, 1))
    return stacked, tuple(columns) or ("nothing",)
