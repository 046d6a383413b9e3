"""What acting brought, and what other policies would have brought."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from truenorth.server.api.context import Served, Text, showing
from truenorth.server.auth import Analyst, Viewer
from truenorth.server.receiving import Turned
from truenorth.store.opening import Store

if TYPE_CHECKING:
    from truenorth.action.off_policy import Evaluation
    from truenorth.action.what_if import Asked
    from truenorth.server.acting.books import Ledger

ROUTER = APIRouter(tags=["action"])
CSV = "text/csv"
MOST_MONEY = 10**10
OfJourney = Annotated[Text, Query(examples=["support"])]
Per = Annotated[Literal["day", "month", "year"], Query(description="the length of a period, UTC")]
CHANGE = {"mean": 0.12, "low": 0.03, "high": 0.21}
CROWN = {"actual": 240, "expected": 212.5, "increment": CHANGE}
LINE: dict[str, Any] = {
    "action": "call_back_now", "journey": "support", "period": "2026-03", "n_acted": 400, "n_holdout": 44,
    **dict.fromkeys(("cost", "revenue", "achieved", "kept", "broken", "customer_us"), CROWN), "note": "",
}  # fmt: skip
SPLIT = {
    "n_holdout": 98, "n_treated": 902, "share": 0.1, "p_value": 0.83, "is_sound": True,
    "is_telling": True, "words": "98 of 1,000 cases are held out, as 10.0% are meant to be",
}  # fmt: skip
ESTIMATE = {"mean_cents": 410.0, "low_cents": 120.5, "high_cents": 699.5}
CSV_LINES = (
    "action,journey,period,n_acted,n_holdout,figure,actual,expected,change_mean,change_low,change_high,note\n"
    "call_back_now,support,2026-03,400,44,achieved,240,212.5,0.12,0.03,0.21,\n"
)


class IncrementShown(BaseModel):
    """What acting changed in a mean a case, with its 95 % interval."""

    model_config = showing(CHANGE)
    mean: float
    low: float
    high: float


class CrownShown(BaseModel):
    """A figure of the acted-upon: what it was, what was expected of it, what acting changed (against the held-out)."""

    model_config = showing(CROWN)
    actual: int
    expected: float | None
    increment: IncrementShown | None


class LineShown(BaseModel):
    """One action in one period: three crowns side by side. Money in cents, time in microseconds."""

    model_config = showing(LINE)
    action: str
    journey: str
    period: str
    n_acted: int
    n_holdout: int
    cost: CrownShown
    revenue: CrownShown
    achieved: CrownShown
    kept: CrownShown
    broken: CrownShown
    customer_us: CrownShown
    note: str


class EstimateShown(BaseModel):
    """A mean a decision in cents with its 95 % interval; a bound is null where nothing is known of it."""

    model_config = showing(ESTIMATE)
    mean_cents: float
    low_cents: float | None
    high_cents: float | None


class OverrideShown(BaseModel):
    """What overriding the proposals of an action brought over following them; null where there are too few."""

    model_config = showing(
        {"action": "call_back_now", "n_followed": 300, "n_overridden": 20, "gain": None, "words": "too few to say"}
    )
    action: str
    n_followed: int
    n_overridden: int
    gain: EstimateShown | None
    words: str


class SplitShown(BaseModel):
    """Cases held out and acted upon, the share that is meant to be held out, and how likely chance makes such a split.

    Where it is not sound (under one in a thousand), compare nothing with the holdout before you know why. Where it is
    not telling, there are too few cases to say that it is sound.
    """

    model_config = showing(SPLIT)
    n_holdout: int
    n_treated: int
    share: float
    p_value: float
    is_sound: bool
    is_telling: bool
    words: str


class LedgerShown(BaseModel):
    """The books of a journey, sums of the acted-upon by name, what overriding brought, and a check of the holdout.

    ``split`` is null where nothing is held out.
    """

    model_config = showing(
        {
            "journey": "support",
            "per": "month",
            "lines": [LINE],
            "totals": {"cost_cents": 480000},
            "overrides": [],
            "split": SPLIT,
        }
    )
    journey: str
    per: str
    lines: list[LineShown]
    totals: dict[str, int]
    overrides: list[OverrideShown]
    split: SplitShown | None


class EvaluationShown(BaseModel):
    """What a policy would have brought a decision, by three estimates; ``gain`` over what was done.

    ``unsupported``: the share of its choices that the log could not have made; ``modelled``: the gain that the model of
    effects believes in where there are such.
    """

    model_config = showing(
        {
            **dict.fromkeys(("ipw", "snipw", "dr", "gain"), ESTIMATE),
            "modelled": None,
            "n": 20000,
            "n_units": 14000,
            "ess": 1481.2,
            "unsupported": 0.0,
            "verdict": "better",
            "words": "Better: +4.10 a decision (+1.21 to +7.00).",
        }
    )
    ipw: EstimateShown
    snipw: EstimateShown
    dr: EstimateShown
    gain: EstimateShown
    modelled: EstimateShown | None
    n: int
    n_units: int
    ess: float
    unsupported: float
    verdict: Literal["better", "worse", "undecided", "too_few", "unsupported"]
    words: str


@ROUTER.get(
    "/ledger",
    response_model=LedgerShown,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}, "example": CSV_LINES}}}},
)
def read_ledger(
    served: Served,
    caller: Viewer,
    journey: OfJourney,
    per: Per = "month",
    format: Literal["json", "csv"] = "json",  # noqa: A002  # the parameter's name
) -> LedgerShown | Response:
    """What acting cost, earned and brought customers, against cases held out. Role: viewer.

    As CSV, a row for each figure.
    """
    served.journey(journey)
    with _learned():
        from truenorth.action.ledger import flat  # noqa: PLC0415  # needs an extra

        found = served.ledgers.of((journey, per))
    if format == "csv":
        return Response(flat(found.lines).write_csv(), media_type=CSV)
    return LedgerShown.model_validate(msgspec.json.decode(msgspec.json.encode(found)))


@ROUTER.get("/policies/{policy}/evaluation")
def judge_policy(
    served: Served,
    caller: Analyst,
    policy: Annotated[Text, Path(examples=["learnt"], description="`learnt`, or always one action by its name")],
    journey: OfJourney,
    limit: Annotated[float | None, Query(ge=0, le=MOST_MONEY, description="if one action might cost so much")] = None,
    least: Annotated[float, Query(ge=1, le=1e9, description="effective sample size for calling a winner")] = 200.0,
) -> EvaluationShown:
    """What a policy would have brought, from the decisions that were made. Role: analyst."""
    served.journey(journey)
    with _learned():
        from truenorth.action.what_if import Asked  # noqa: PLC0415  # needs an extra

        limit_cents = None if limit is None else round(limit * 100)
        asked = Asked(policy=policy, limit_cents=limit_cents, least_ess=least)
        found = served.evaluations.of((journey, asked))
    return EvaluationShown.model_validate(msgspec.json.decode(msgspec.json.encode(found)))


def keep_ledger(store: Store, key: tuple[str, Per]) -> Ledger:
    """The books of a journey by periods of a length; it needs an extra."""
    from truenorth.server.acting.books import ledger_of  # noqa: PLC0415  # needs an extra

    journey, per = key
    return ledger_of(store, journey, per, _silent)


def evaluate(store: Store, key: tuple[str, Asked]) -> Evaluation:
    """What a policy would have brought in a journey; it needs an extra."""
    from truenorth.server.acting.books import evaluation_of  # noqa: PLC0415  # needs an extra

    journey, asked = key
    return evaluation_of(store, journey, asked, _silent)


@contextmanager
def _learned() -> Iterator[None]:
    """Turn a missing extra into an answer."""
    try:
        yield
    except ModuleNotFoundError as error:
        words = f"{error.name} is not installed where the service runs; pip install 'truenorth[learn]'"
        raise Turned(409, "not_installed", words) from None


def _silent(_stage: str, _share: float) -> None:
    """Nobody watches the progress."""
