"""The graph behind the journey map: what is on it at which level of detail."""

from __future__ import annotations

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
    """Nodes (in the order of their place in cases) and edges (the most frequent first) of a replay, each with
    its level.

    *Rule*: edges, the most frequent first, are shown until they carry ``level / 10`` of all steps (from the
    need and to the verdicts included); event types likewise of all events. The need, the verdicts that occur
    and the most frequent way into or out of each are always shown; so are the most frequent ways into and out
    of whatever is shown.
    """
    nodes = _nodes(replay)
    edges = _edges(replay)
    levels = _node_levels(nodes, edges)
    wanted = _shares_to_levels([edge.n for edge in edges])
    level = {
        (edge.source, edge.target): max(own, levels[edge.source], levels[edge.target])
        for edge, own in zip(edges, wanted, strict=True)
    }
    for node in nodes:
        for end in ("source", "target"):
            _keep_connected(node.key, end, edges, levels, level)
    nodes = [node._replace(level=levels[node.key]) for node in nodes]
    return nodes, [edge._replace(level=level[edge.source, edge.target]) for edge in edges]


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


def _node_levels(nodes: list[Node], edges: list[Edge]) -> dict[str, int]:
    types = sorted((node for node in nodes if node.key.startswith("type:")), key=lambda node: (-node.n, node.key))
    levels = {node.key: 1 for node in nodes}
    levels.update(zip((node.key for node in types), _shares_to_levels([node.n for node in types]), strict=True))
    met: set[str] = set()
    for edge in edges:
        for border, inner in ((edge.source, edge.target), (edge.target, edge.source)):
            if not border.startswith("type:") and border not in met:
                met.add(border)
                levels[inner] = 1
    return levels


def _keep_connected(
    key: str, end: str, edges: list[Edge], levels: dict[str, int], level: dict[tuple[str, str], int]
) -> None:
    """Show a node's most frequent edge at one end with it, from or to something already shown if there is one."""
    own = [edge for edge in edges if getattr(edge, end) == key and edge.source != edge.target]
    shown = [edge for edge in own if max(levels[edge.source], levels[edge.target]) <= levels[key]] or own
    if shown:
        pair = (shown[0].source, shown[0].target)
        level[pair] = max(levels[pair[0]], levels[pair[1]])
