"""The map of a journey as JSON, compared over two parts of its cases; points of failure with their cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from truenorth.insight.means import share_of
from truenorth.insight.replayed import Replayed
from truenorth.insight.slices import Slice, sliced, values_of
from truenorth.server.api.context import Context, Served, Text, showing
from truenorth.server.api.period import Since, Until
from truenorth.server.auth import Analyst, Viewer
from truenorth.spec.problems import Problem, TruenorthError

ROUTER = APIRouter(tags=["journeys"])
MOST_POINTS = 100
MOST_CASES = 50
"""Cases that are named of each point."""
NODE = {
    "key": "type:Passed on",
    "name": "Passed on",
    "role": "internal",
    "n": 120,
    "n_cases": 80,
    "case_share": 0.23,
    "handover_share": 1.0,
    "median_next_us": 7200000000.0,
    "repeats": 40,
    "lost": 12,
    "level": 3,
}
EDGE = {
    "source": "type:Contact",
    "target": "type:Passed on",
    "n": 80,
    "n_cases": 80,
    "median_us": 3600000000.0,
    "handover_share": 0.9,
    "level": 3,
}
MAP = {
    "journey": "support",
    "n_cases": 345,
    "n_decided": 322,
    "n_achieved": 247,
    "achieved": 0.77,
    "achieved_low": 0.72,
    "achieved_high": 0.81,
    "nodes": [NODE],
    "edges": [EDGE],
}
POINT = {
    "kind": "event",
    "point": "Passed on",
    "source": None,
    "target": "Passed on",
    "n": 80,
    "n_failed": 40,
    "rate": 0.5,
    "rate_others": 0.14,
    "difference": 0.36,
    "difference_low": 0.24,
    "difference_high": 0.48,
    "excess": 28.8,
    "value_lost": 9504.0,
    "value_lost_low": 6300.0,
    "value_lost_high": 12700.0,
    "clear": True,
}


class NodeShown(BaseModel):
    """A place on the map. ``repeats``: events beyond the first of each case; ``lost``: cases that failed after it."""

    model_config = showing(NODE)
    key: str
    name: str
    role: str
    n: int
    n_cases: int
    case_share: float
    handover_share: float
    median_next_us: float | None
    repeats: int
    lost: int
    level: int


class EdgeShown(BaseModel):
    """A step from one place to another: how often, in how many cases, the median wait, and the share handed over."""

    model_config = showing(EDGE)
    source: str
    target: str
    n: int
    n_cases: int
    median_us: float | None
    handover_share: float
    level: int


class MapShown(BaseModel):
    """The map of some cases, and how many of the decided ones reached their outcome, with the 95 % interval.

    ``level``, 1 to 10: from which detail on a node or an edge is shown; 8 shows what carries 80 % of the flow.
    """

    model_config = showing(MAP)
    journey: str
    n_cases: int
    n_decided: int
    n_achieved: int
    achieved: float | None
    achieved_low: float | None
    achieved_high: float | None
    nodes: list[NodeShown]
    edges: list[EdgeShown]


class Difference(BaseModel):
    """An event type in both parts: the share of cases that have it, events a case, the median wait after it."""

    model_config = showing(
        {
            "name": "Passed on",
            "case_share": 0.3,
            "other_case_share": 0.1,
            "per_case": 0.5,
            "other_per_case": 0.1,
            "median_next_us": 7200000000.0,
            "other_median_next_us": None,
        }
    )
    name: str
    case_share: float
    other_case_share: float
    per_case: float
    other_per_case: float
    median_next_us: float | None
    other_median_next_us: float | None


class MapsCompared(BaseModel):
    """Two parts of the cases side by side; ``differences`` by the gap in the share of cases, the largest first."""

    model_config = showing({"one": MAP, "other": MAP, "differences": []})
    one: MapShown
    other: MapShown
    differences: list[Difference]


class Slices(BaseModel):
    """What can be asked for: need categories and channels of the cases' first events, the most frequent first."""

    model_config = showing({"categories": ["line", "bill"], "channels": ["web", "phone"]})
    categories: list[str]
    channels: list[str]


class PointShown(BaseModel):
    """A point that cases pass, against all that do not; what is lost is an association, no effect."""

    model_config = showing(POINT)
    kind: Literal["event", "step", "handover", "promise"]
    point: str
    source: str | None
    target: str
    n: int
    n_failed: int
    rate: float
    rate_others: float
    difference: float
    difference_low: float
    difference_high: float
    excess: float
    value_lost: float
    value_lost_low: float
    value_lost_high: float
    clear: bool


class PointCase(BaseModel):
    """A case that passed a point."""

    model_config = showing({"case": "T0020", "failed": True})
    case: str
    failed: bool


class SliceOf(NamedTuple):
    """Which cases are asked about."""

    slice: Slice


def _slice(
    category: Annotated[Text | None, Query(description="need category of the first event", examples=["line"])] = None,
    channel: Annotated[Text | None, Query(description="channel of the first event", examples=["web"])] = None,
    since: Since = None,
    until: Until = None,
    by: Annotated[Text, Query(description="the field that holds the need category")] = "category",
) -> SliceOf:
    return SliceOf(Slice(category, channel, _aware(since), _aware(until), by))


def _other(
    other_category: Annotated[Text | None, Query()] = None,
    other_channel: Annotated[Text | None, Query()] = None,
    other_since: Since = None,
    other_until: Until = None,
    by: Annotated[Text, Query()] = "category",
) -> SliceOf:
    return SliceOf(Slice(other_category, other_channel, _aware(other_since), _aware(other_until), by))


SliceAsked = Annotated[SliceOf, Depends(_slice)]
OtherAsked = Annotated[SliceOf, Depends(_other)]


@ROUTER.get("/journeys/{name}/map")
def read_map(served: Served, caller: Viewer, name: Text, asked: SliceAsked) -> MapShown:
    """What follows what, of all cases or a part of them, opened in ``[since, until)``. Role: viewer.

    503 while the log is being read for the first time; ask again after `Retry-After`.
    """
    return map_of(name, sliced(replay_of(served, name), asked.slice))


@ROUTER.get("/journeys/{name}/map/compared")
def compare_maps(served: Served, caller: Viewer, name: Text, asked: SliceAsked, other: OtherAsked) -> MapsCompared:
    """Two parts of the cases side by side: the second is named by the same filters with `other_`. Role: viewer."""
    replay = replay_of(served, name)
    return compared(name, sliced(replay, asked.slice), sliced(replay, other.slice))


@ROUTER.get("/journeys/{name}/slices")
def list_slices(
    served: Served, caller: Viewer, name: Text, by: Annotated[Text, Query(examples=["category"])] = "category"
) -> Slices:
    """Need categories and channels that there are. Role: viewer."""
    replay = replay_of(served, name)
    return Slices(categories=values_of(replay, by), channels=values_of(replay, "channel"))


@ROUTER.get("/journeys/{name}/failures")
def list_failures(
    served: Served,
    caller: Viewer,
    name: Text,
    asked: SliceAsked,
    limit: Annotated[int, Query(ge=1, le=MOST_POINTS)] = 20,
) -> list[PointShown]:
    """Points after which cases fail more often than others, the costliest first. Role: viewer."""
    from truenorth.insight.failure import points_of_failure  # noqa: PLC0415  heavy

    found = points_of_failure(sliced(replay_of(served, name), asked.slice))
    return [PointShown(**row) for row in found.head(limit).to_dicts()]


@ROUTER.get("/journeys/{name}/failures/cases")
def list_cases_of_point(
    served: Served,
    caller: Analyst,
    name: Text,
    asked: SliceAsked,
    kind: Annotated[Literal["event", "step", "handover", "promise"], Query()],
    target: Annotated[Text, Query(examples=["Passed on"])],
    source: Annotated[Text | None, Query(description="of a step or a hand-over")] = None,
) -> list[PointCase]:
    """The decided cases that pass a point: failing ones first, the newest first, at most 50. Role: analyst."""
    from truenorth.insight.failure import cases_of_point  # noqa: PLC0415  heavy

    found = cases_of_point(sliced(replay_of(served, name), asked.slice), kind, source, target)
    return [PointCase(case=str(row["case"]), failed=row["failed"]) for row in found.head(MOST_CASES).to_dicts()]


def replay_of(served: Context, journey: str) -> Replayed:
    """The whole log judged by a live journey."""
    version = served.journey(journey).version
    if served.store.events.last_position() == 0:
        raise TruenorthError([Problem(path="log", expected="events of cases", found="none yet")])
    return served.judged.of(journey, version)


def map_of(journey: str, part: Replayed) -> MapShown:
    """The map of the cases of a part."""
    from truenorth.figures.flow_graph import flow_graph  # noqa: PLC0415  heavy
    from truenorth.insight.loops import loops_and_losses  # noqa: PLC0415

    nodes, edges = flow_graph(part) if part.cases.height else ([], [])
    beside = {row["type"]: row for row in loops_and_losses(part).to_dicts()} if nodes else {}
    none = {"repeats": 0, "lost": 0}
    shown = [
        {**node._asdict(), **{name: beside.get(node.name, none)[name] for name in none}}
        if node.key.startswith("type:")
        else {**node._asdict(), **none}
        for node in nodes
    ]
    return MapShown(
        journey=journey,
        **_outcomes(part),
        nodes=[NodeShown(**{name: node[name] for name in NodeShown.model_fields}) for node in shown],
        edges=[EdgeShown(**edge._asdict()) for edge in edges],
    )


def compared(journey: str, one: Replayed, other: Replayed) -> MapsCompared:
    """Two maps, and what differs most between them."""
    maps = (map_of(journey, one), map_of(journey, other))
    parts = [{node.name: node for node in found.nodes if node.key.startswith("type:")} for found in maps]
    differences = [
        Difference(
            name=name,
            **_measures(parts[0].get(name), maps[0], ""),
            **_measures(parts[1].get(name), maps[1], "other_"),
        )
        for name in dict.fromkeys([*parts[0], *parts[1]])
    ]
    differences.sort(key=lambda found: (-abs(found.case_share - found.other_case_share), found.name))
    return MapsCompared(one=maps[0], other=maps[1], differences=differences)


def _measures(node: NodeShown | None, found: MapShown, prefix: str) -> dict[str, Any]:
    shown = {
        "case_share": node.case_share if node else 0.0,
        "per_case": node.n / max(found.n_cases, 1) if node else 0.0,
        "median_next_us": node.median_next_us if node else None,
    }
    return {f"{prefix}{name}": value for name, value in shown.items()}


def _outcomes(part: Replayed) -> dict[str, Any]:
    n = dict(part.cases["outcome"].value_counts().iter_rows())
    n_achieved, n_decided = n.get("achieved", 0), part.cases.height - n.get("open", 0)
    share = share_of(n_achieved, n_decided)
    return {
        "n_cases": part.cases.height,
        "n_decided": n_decided,
        "n_achieved": n_achieved,
        "achieved": share.value,
        "achieved_low": share.low,
        "achieved_high": share.high,
    }


def _aware(instant: datetime | None) -> datetime | None:
    return instant if instant is None or instant.tzinfo else instant.replace(tzinfo=UTC)
