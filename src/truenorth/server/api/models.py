"""Models: what was learnt to foresee a journey's cases, which one is asked, and how they do."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel

from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.auth import Analyst, Viewer
from truenorth.server.foreseeing.promoting import NotBetter, promote, roll_back
from truenorth.server.receiving import Turned
from truenorth.spec.problems import TruenorthError
from truenorth.store.foresight_rows import ModelRow, ModelState

ROUTER = APIRouter(tags=["foresight"])
MODEL = {
    "journey": "support",
    "version": "5f2b8c0e9d7a",
    "state": "live",
    "made": "2026-01-05T09:30:00.000000Z",
    "live_since": "2026-01-06T08:00:00.000000Z",
    "data_from": "2025-07-01T00:00:00.000000Z",
    "data_to": "2026-01-05T09:00:00.000000Z",
    "cases": 4120,
    "beats_baseline": True,
    "why": "trees: better than the base rate and the baseline on held-out time",
    "threshold": 0.5,
    "level": -0.12,
    "level_learnt": "2026-02-05T09:00:00.000000Z",
}
LOOK = {"at": "2026-02-05T09:30:00.000000Z", "seen": {"words": "212 cases have ended since ..."}}
JourneyName = Annotated[Text, Query(examples=["support"])]


class Model(BaseModel):
    """A model. ``state``: live (shown and told), shadow (kept only) or retired. ``why``: how it did, in words.

    ``level``: what is added to the log-odds of all its risks, as learnt from what has become of cases since; null =
    nothing so far.
    """

    model_config = showing(MODEL)
    journey: str
    version: str
    state: ModelState
    made: Instant
    live_since: Instant | None
    data_from: Instant
    data_to: Instant
    cases: int
    beats_baseline: bool
    why: str
    threshold: float
    level: float | None
    level_learnt: Instant | None


class Look(BaseModel):
    """One look at how a model does: what has matured, alarms, and what is proposed with its backtest."""

    model_config = showing(LOOK)
    at: Instant
    seen: Any


class ModelWhole(BaseModel):
    """A model with its columns, its figures on held-out time, and the looks at it, newest first."""

    model_config = showing({"model": MODEL, "features": [], "metrics": {}, "looks": [LOOK]})
    model: Model
    features: list[dict[str, Any]]
    metrics: dict[str, Any]
    looks: list[Look]


class PromotionAsked(BaseModel):
    """``insist``: although it did not beat the baselines; only an admin may."""

    model_config = showing({"insist": False}, extra="forbid")
    insist: bool = False


@ROUTER.get("/models")
def list_models(served: Served, caller: Viewer, journey: Annotated[Text | None, Query()] = None) -> list[Model]:
    """All models by journey, the newest first. Role: viewer."""
    return [model_shown(row) for row in served.store.models.list(journey)]


@ROUTER.get("/models/{version}")
def read_model(served: Served, caller: Viewer, version: Text, journey: JourneyName) -> ModelWhole:
    """A model with its figures and the looks at it. Role: viewer."""
    row = _known(served, journey, version)
    looks = served.store.models.looks(journey, version)
    return ModelWhole(
        model=model_shown(row),
        features=msgspec.json.decode(row.features),
        metrics=msgspec.json.decode(row.metrics),
        looks=[Look(at=instant(one.at_us), seen=msgspec.json.decode(one.body)) for one in looks],
    )


@ROUTER.post("/models/{version}/promote")
def promote_model(
    served: Served, caller: Analyst, version: Text, journey: JourneyName, asked: PromotionAsked | None = None
) -> Model:
    """Make a model the live one; the one that was is retired. Role: analyst; it is noted in the audit.

    409 where it did not beat the baselines on held-out time; an admin may insist, which the audit says.
    """
    insisted = asked is not None and asked.insist
    if insisted and not caller.may("admin"):
        raise Turned(403, "role_too_small", f"expected a token of the role admin to insist, found {caller.role}")
    _known(served, journey, version)
    try:
        row = promote(served.store, journey, version, insisted=insisted, now_us=served.now_us())
    except NotBetter as error:
        reason = error.problems[0].found
        raise Turned(409, "not_better", f"it does not go live: {reason}; an admin may insist") from None
    served.note(caller, "promoted a model" + (" although it is not better" if not row.beats else ""), _about(row))
    return model_shown(row)


@ROUTER.post("/models/roll-back")
def roll_model_back(served: Served, caller: Analyst, journey: JourneyName) -> Model:
    """Make the model live that was so before. Role: analyst; it is noted in the audit."""
    try:
        row = roll_back(served.store, journey, now_us=served.now_us())
    except TruenorthError:
        raise Turned(404, "unknown_model", "no model of this journey was live before; see /api/v1/models") from None
    served.note(caller, "rolled back to a model", _about(row))
    return model_shown(row)


@ROUTER.post("/models/{version}/retire")
def retire_model(served: Served, caller: Analyst, version: Text, journey: JourneyName) -> Model:
    """Ask a model no more; a journey without a live one has no risks. Role: analyst; it is noted in the audit."""
    row = _known(served, journey, version)
    served.store.models.retire(journey, version)
    served.note(caller, "retired a model", _about(row))
    return model_shown(_known(served, journey, version))


def _known(served: Context, journey: str, version: str) -> ModelRow:
    row = served.store.models.find(journey, version)
    if row is None:
        raise Turned(404, "unknown_model", "there is no model of this version in this journey; see /api/v1/models")
    return row


def _about(row: ModelRow) -> str:
    return f"{row.journey} {row.version}"


def model_shown(row: ModelRow) -> Model:
    """A row as the API shows it."""
    return Model(
        journey=row.journey,
        version=row.version,
        state=row.state,
        made=instant(row.made_us),
        live_since=None if row.live_us is None else instant(row.live_us),
        data_from=instant(row.data_from_us),
        data_to=instant(row.data_to_us),
        cases=row.n_cases,
        beats_baseline=row.beats,
        why=row.why,
        threshold=row.threshold,
        level=row.level,
        level_learnt=None if row.level_us is None else instant(row.level_us),
    )
