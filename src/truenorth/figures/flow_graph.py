"""The graph behind the journey map: what is on it at which level of detail."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import polars as pl

from truenorth.insight.flow import direct_follows, event_types, starts_and_ends
from truenorth.insight.replayed import OUTCOMES, Replayed

LEVELS = 10
"""Steps of the detail slider: level 8 shows what carries 80 % of the flow."""

NEED = "need"


class Node(NamedTuple):
    """A place on the map: the need, an event type or a verdict."""

    key: str
    name: str
    role: str
    """``need``, ``moment``, ``decision``, ``internal``, or a verdict."""
    n: int
    """Events of the type; cases of the need or verdict."""
    n_cases: int
    case_share: float
    handover_share: float
    median_next_us: float | None
    position: float
    level: int


class Edge(NamedTuple):
    """A step from one node to another."""

    source: str
    target: str
    n: int
    n_cases: int
    median_us: float | None
    handover_share: float
    level: int = LEVELS


def flow_graph(replay: Replayed) -> tuple[list[Node], list[Edge]]:
    """Nodes (by their place in cases) and edges (the most frequent first) of a replay, each with its level.

    *Rule*: at a level, edges are shown, the most frequent first, until they carry ``level / 10`` of all steps
    (those from the need and to the verdicts included), and the nodes at their ends. The need and the verdicts that
    occur are always shown, with their most frequent edge; so are the most frequent edges into and out of whatever
    is shown.
    """
    nodes, edges = _nodes(replay), _edges(replay)
    levels = _shares_to_levels([edge.n for edge in edges])
    for index in _border_edges(edges):
        levels[index] = 1
    reached = _connected(edges, levels)
    nodes = [node._replace(level=reached[node.key]) for node in nodes]
    return nodes, [edge._replace(level=level) for edge, level in zip(edges, levels, strict=True)]


def _nodes(replay: Replayed) -> list[Node]:
    types = [
        Node(
            f"type:{row['type']}", row["type"], row["kind"], row["n"], row["n_cases"], row["case_share"],
            row["handover_share"], row["median_next_us"], row["position"], LEVELS,
        ) for row in event_types(replay).sort("position", "n", "type", descending=[False, True,
        False]).iter_rows(named=True)
    ]  # fmt: skip
    total = max(replay.cases.height, 1)
    counts = dict(replay.cases.group_by("outcome").len().iter_rows())
    need = Node(NEED, "Need", NEED, total, total, 1.0, 0.0, None, -1.0, 1)
    ends = [
        Node(name, name.capitalize(), name, counts[name], counts[name], counts[name] / total, 0.0, None, 2.0, 1)
        for name in OUTCOMES
        if counts.get(name)
    ]
    return [need, *types, *ends]


def _edges(replay: Replayed) -> list[Edge]:
    follows = direct_follows(replay).with_columns(
        pl.lit("type:").add(pl.col("source")).alias("source"), pl.lit("type:").add(pl.col("target")).alias("target")
    )
    borders = starts_and_ends(replay).with_columns(pl.lit("type:").add(pl.col("type")).alias("type"))
    edges = [Edge(*row) for row in follows.iter_rows()]
    for end, kind, n in borders.iter_rows():
        source, target = (NEED, kind) if end == NEED else (kind, end)
        edges.append(Edge(source, target, n, n, None, 0.0))
    return sorted(edges, key=lambda edge: (-edge.n, edge.source, edge.target))


def _shares_to_levels(weights: list[int]) -> list[int]:
    """For weights from the largest down, the level from which each belongs to the share of the total that is shown."""
    total, before, levels = sum(weights), 0, []
    for weight in weights:
        levels.append(min(int(LEVELS * before / total) + 1, LEVELS))
        before += weight
    return levels


def _border_edges(edges: list[Edge]) -> list[int]:
    """The most frequent edge of the need and of each verdict."""
    met: dict[str, int] = {}
    for index, edge in enumerate(edges):
        for key in (edge.source, edge.target):
            if not key.startswith("type:"):
                met.setdefault(key, index)
    return list(met.values())


def _connected(edges: list[Edge], levels: list[int]) -> dict[str, int]:
    """The level of every node; ``levels`` are lowered so that what is shown has a way in and a way out."""
    ways: dict[tuple[str, str], list[int]] = defaultdict(list)
    reached: dict[str, int] = {}
    for index, edge in enumerate(edges):
        for key in (edge.source, edge.target):
            reached[key] = min(reached.get(key, LEVELS), levels[index])
        if edge.source != edge.target:
            ways[edge.source, "out"].append(index)
            ways[edge.target, "in"].append(index)
    waiting = sorted(reached)
    while waiting:
        key = waiting.pop()
        for way in ("in", "out"):
            own = ways[key, way]
            if not own or min(levels[index] for index in own) <= reached[key]:
                continue
            chosen = edges[own[0]]
            levels[own[0]] = reached[key]
            other = chosen.source if way == "in" else chosen.target
            if reached[other] > reached[key]:
                reached[other] = reached[key]
                waiting.append(other)
    return reached
