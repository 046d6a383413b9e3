"""A layered drawing of a directed graph, left to right, the same for the same input.

The steps are those of K. Sugiyama, S. Tagawa and M. Toda (1981), "Methods for visual understanding of
hierarchical system structures", IEEE Trans. SMC 11, 109-125: take back edges aside, give every node a layer,
lead long edges through the layers between, order each layer by barycentres, place without overlaps. Back edges
are found by the heuristic of P. Eades, X. Lin and W. F. Smyth (1993), "A fast and effective heuristic for the
feedback arc set problem", Inf. Proc. Letters 47, 319-323. Lengths are pixels; y grows downwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

Spot = Hashable
"""A node's name, or ``(source, target, layer)`` where a long edge passes a layer."""

PASSAGE = (9.0, 9.0)
"""Room above and below an edge that passes a layer."""

SWEEPS = 12
SHARES = (0.15, 0.3, 0.5, 0.75, 1.0)


class Link(NamedTuple):
    """An edge with its weight."""

    source: str
    target: str
    n: int


class Drawing(NamedTuple):
    """Where nodes are and through which points edges go."""

    layer: dict[str, int]
    y: dict[str, float]
    routes: dict[tuple[str, str], list[tuple[int, float]]]
    """Per link the (layer, y) it passes between its ends, from source to target; empty for a short one."""


def drawn(nodes: Mapping[str, tuple[float, float]], links: Sequence[Link], last: Sequence[str] = ()) -> Drawing:
    """Lay out ``nodes`` (room above and below each) and ``links``; nodes named in ``last`` share the last layer.

    The order of ``nodes`` decides ties.

    >>> drawing = drawn({"a": (5, 5), "b": (5, 5)}, [Link("a", "b", 3), Link("b", "a", 1)])
    >>> drawing.layer
    {'a': 0, 'b': 1}
    """
    known = [link for link in links if link.source != link.target and link.source in nodes and link.target in nodes]
    layer = layered(list(nodes), known, last)
    chains = {(link.source, link.target): _chain(link, layer) for link in known}
    columns = _columns(list(nodes), layer, chains)
    near = _neighbours(known, chains)
    columns = _uncrossed(columns, near)
    room = {
        spot: nodes.get(spot, PASSAGE) if isinstance(spot, str) else PASSAGE for column in columns for spot in column
    }
    y = _placed(columns, near, room)
    top = min((y[name] - nodes[name][0] for name in nodes), default=0.0)
    routes = {
        (link.source, link.target): _route(link, layer, chains[link.source, link.target], y, top) for link in known
    }
    return Drawing(layer, {name: y[name] - top for name in nodes}, routes)


def _route(
    link: Link, layer: Mapping[str, int], chain: list[Spot], y: Mapping[Spot, float], top: float
) -> list[tuple[int, float]]:
    step = 1 if layer[link.target] > layer[link.source] else -1
    return [(layer[link.source] + step * (i + 1), y[spot] - top) for i, spot in enumerate(chain)]


def forward_order(names: Sequence[str], links: Sequence[Link]) -> list[str]:
    """An order of ``names`` against which little weight of ``links`` runs; ``names`` decides ties.

    >>> forward_order(["b", "a"], [Link("a", "b", 5), Link("b", "a", 1)])
    ['a', 'b']
    """
    after: dict[str, dict[str, int]] = {name: {} for name in names}
    before: dict[str, dict[str, int]] = {name: {} for name in names}
    for link in links:
        after[link.source][link.target] = before[link.target][link.source] = link.n
    left: list[str] = []
    right: list[str] = []
    rest = list(names)
    while rest:
        sink = next((name for name in reversed(rest) if not after[name]), None)
        source = next((name for name in rest if not before[name]), None)
        if source is not None:
            chosen, side = source, left
        elif sink is not None:
            chosen, side = sink, right
        else:
            chosen, side = max(rest, key=lambda name: sum(after[name].values()) - sum(before[name].values())), left
        side.append(chosen)
        rest.remove(chosen)
        for target in after[chosen]:
            del before[target][chosen]
        for origin in before[chosen]:
            del after[origin][chosen]
    return left + right[::-1]


def layered(names: Sequence[str], links: Sequence[Link], last: Sequence[str] = ()) -> dict[str, int]:
    """The layer of every node: the longest path of weighty forward links that leads to it.

    A link is weighty if it has at least a share of the weight of the heaviest that leads to the same node; of
    the shares 0.15 to 1 the first is taken with which the drawing is not much longer than wide.

    >>> layered(["a", "b", "c"], [Link("a", "b", 9), Link("b", "c", 9), Link("a", "c", 1)])
    {'a': 0, 'b': 1, 'c': 2}
    """
    links = [link for link in links if link.source != link.target]
    order = forward_order(names, links)
    at = {name: number for number, name in enumerate(order)}
    forward = [link for link in links if at[link.source] < at[link.target]]
    heaviest: dict[str, int] = defaultdict(int)
    for link in forward:
        heaviest[link.target] = max(heaviest[link.target], link.n)
    limit = max(6, round(2 + 1.6 * len(names) ** 0.5))
    layer: dict[str, int] = {}
    for share in SHARES:
        layer = dict.fromkeys(order, 0)
        for link in sorted(forward, key=lambda link: at[link.source]):
            if link.n >= share * heaviest[link.target]:
                layer[link.target] = max(layer[link.target], layer[link.source] + 1)
        if max(layer.values(), default=0) < limit:
            break
    _draw_near(layer, forward)
    end = max((layer[name] + (name not in last) for name in layer), default=0)
    return {name: end if name in last else layer[name] for name in names}


def _draw_near(layer: dict[str, int], forward: Sequence[Link]) -> None:
    """Move what nothing leads to next to the nearest node that it leads to."""
    led_to = {link.target for link in forward}
    for name in layer:
        targets = [layer[link.target] for link in forward if link.source == name]
        if targets and name not in led_to:
            layer[name] = max(min(targets) - 1, 0)


def _chain(link: Link, layer: Mapping[str, int]) -> list[Spot]:
    """The spots at which a link passes the layers between its ends, from source to target."""
    first, final = layer[link.source], layer[link.target]
    step = 1 if final > first else -1
    return [(link.source, link.target, passed) for passed in range(first + step, final, step)]


def _columns(
    names: list[str], layer: Mapping[str, int], chains: Mapping[tuple[str, str], list[Spot]]
) -> list[list[Spot]]:
    columns: list[list[Spot]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for name in names:
        columns[layer[name]].append(name)
    for chain in chains.values():
        for spot in chain:
            assert isinstance(spot, tuple)
            columns[spot[2]].append(spot)
    return columns


def _neighbours(
    links: Sequence[Link], chains: Mapping[tuple[str, str], list[Spot]]
) -> dict[Spot, list[tuple[Spot, float]]]:
    """Every spot's neighbours with their pull: heavy links pull more, the inside of long ones most, to be straight."""
    near: dict[Spot, list[tuple[Spot, float]]] = defaultdict(list)
    for link in links:
        path: list[Spot] = [link.source, *chains[link.source, link.target], link.target]
        for one, other in pairwise(path):
            inside = isinstance(one, tuple) + isinstance(other, tuple)
            pull = link.n * (1, 2, 6)[inside]
            near[one].append((other, pull))
            near[other].append((one, pull))
    return near


def _uncrossed(columns: list[list[Spot]], near: Mapping[Spot, list[tuple[Spot, float]]]) -> list[list[Spot]]:
    """Order each layer by the mean place of its neighbours, forth and back; keep the order with fewest crossings."""
    best, fewest = columns, _crossings(columns, near)
    current = columns
    for sweep in range(SWEEPS):
        current = [list(column) for column in current]
        numbers = range(1, len(current)) if sweep % 2 == 0 else range(len(current) - 2, -1, -1)
        for number in numbers:
            beside = current[number - 1 if sweep % 2 == 0 else number + 1]
            place = {spot: index / max(len(beside) - 1, 1) for index, spot in enumerate(beside)}
            current[number] = _by_barycentre(current[number], place, near)
        crossings = _crossings(current, near)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _by_barycentre(
    column: list[Spot], place: Mapping[Spot, float], near: Mapping[Spot, list[tuple[Spot, float]]]
) -> list[Spot]:
    keys: dict[Spot, float] = {}
    for index, spot in enumerate(column):
        pulls = [(place[other], pull) for other, pull in near.get(spot, ()) if other in place]
        total = sum(pull for _, pull in pulls)
        own = index / max(len(column) - 1, 1)
        keys[spot] = sum(at * pull for at, pull in pulls) / total if total else own
    return sorted(column, key=lambda spot: keys[spot])


def _crossings(columns: list[list[Spot]], near: Mapping[Spot, list[tuple[Spot, float]]]) -> int:
    total = 0
    for left, right in pairwise(columns):
        place = {spot: index for index, spot in enumerate(right)}
        ends = [sorted(place[other] for other, _ in near.get(spot, ()) if other in place) for spot in left]
        seen: list[int] = []
        for own in ends:
            total += sum(1 for end in own for other in seen if other > end)
            seen += own
    return total


def _placed(
    columns: list[list[Spot]], near: Mapping[Spot, list[tuple[Spot, float]]], room: Mapping[Spot, tuple[float, float]]
) -> dict[Spot, float]:
    """Heights that are near those of the neighbours and leave every spot its room, layer after layer."""
    y: dict[Spot, float] = {}
    for column in columns:
        stacked = _apart([0.0] * len(column), column, room)
        middle = (stacked[0] + stacked[-1]) / 2 if stacked else 0.0
        y.update({spot: at - middle for spot, at in zip(column, stacked, strict=True)})
    for sweep in range(2 * SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wishes = [_wish(spot, y, near) for spot in column]
            heights = _apart([wish for wish, _ in wishes], column, room, [pull for _, pull in wishes])
            y.update(zip(column, heights, strict=True))
    return y


def _wish(spot: Spot, y: Mapping[Spot, float], near: Mapping[Spot, list[tuple[Spot, float]]]) -> tuple[float, float]:
    """Where a spot's neighbours want it, and how strongly."""
    pulls = near.get(spot, ())
    total = sum(pull for _, pull in pulls)
    return (sum(y[other] * pull for other, pull in pulls) / total, total) if total else (y[spot], 1e-6)


def _apart(
    wished: Sequence[float],
    column: Sequence[Spot],
    room: Mapping[Spot, tuple[float, float]],
    pulls: Sequence[float] | None = None,
) -> list[float]:
    """The heights nearest to the wished ones (least squares, weighted) that keep the order and every spot's room.

    Less its stacked offset no height may be above the one before: an isotonic regression, solved by pooling adjacent
    violators.
    """
    offsets = [0.0]
    for one, other in pairwise(column):
        offsets.append(offsets[-1] + room[one][1] + room[other][0])
    pools: list[tuple[float, float, int]] = []
    weights = pulls or [1.0] * len(column)
    for wish, offset, weight in zip(wished, offsets, weights, strict=False):
        pools.append((wish - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, heavy, n), (other, light, m) = pools[-2:]
            pools[-2:] = [((one * heavy + other * light) / (heavy + light), heavy + light, n + m)]
    levels = [value for value, _, size in pools for _ in range(size)]
    return [level + offset for level, offset in zip(levels, offsets, strict=False)]
