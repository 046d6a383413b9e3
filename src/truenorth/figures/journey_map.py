"""The journey map: what follows what, from the need to the verdict, with a slider for detail."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
from plotly import graph_objects as go

from truenorth.figures.curves import RADIUS, SAMPLES, Box, Point, dotted, edge_curve, free_place
from truenorth.figures.flow_graph import LEVELS, NEED, Edge, Node, flow_graph
from truenorth.figures.layered import Link, drawn, layered
from truenorth.figures.outcome import NO_CASES
from truenorth.figures.theme import BACK, KIND_INK, LINE, OUTCOME_INK, Ink, Theme, hover, titled, worded
from truenorth.figures.wording import cases, count, duration, plain, ratio, wrapped
from truenorth.insight.replayed import OUTCOMES, Replayed
from truenorth.spec.counted import counted, percent

NEED_INK = Ink("#5b6472", "", "triangle-right", "")
WIDTHS = (1.2, 2.0, 3.2, 5.0, 7.5)
"""Classes of line width, in pixels, by the square root of the count."""

RARE_SAMPLES = 7
"""Points of a curve that the first view does not show."""

MAX_ROUTED = 120
USUAL, MOST_STEPS = 8, 60
"""So many edges are led around nodes and labelled, if there is room; rarer ones go straight."""

MARGIN = 40.0
MIN_STEP, MAX_STEP = 90.0, 190.0
"""From one layer to the next: room for words of 12 letters at least."""
LINE_HEIGHT = 15.0
LABEL_TOP = 19.0
"""Where a label begins below the middle of its node."""

MAX_WIDTH = 1080.0
"""The map keeps to this width as long as its labels stay readable; then it grows."""

LETTER_PX = 6.6
"""Mean width of a letter of a label."""


class Place(NamedTuple):
    """A node's middle, its label's lines, and the box of the label."""

    x: float
    y: float
    lines: list[str]
    box: Box


class Chart(NamedTuple):
    """The map in pixels: where nodes are, how edges go, and how high it is at each level (1 ... 10)."""

    places: dict[str, Place]
    curves: dict[tuple[str, str], list[Point]]
    heights: list[float]
    width: float


def journey_map_figure(replay: Replayed, detail: float | None = None, theme: Theme = "light") -> Any:
    """What directly follows what: nodes are event types, edges their direct follows, thick where many go.

    ``detail`` in (0, 1] is the share of the flow shown at first (by default 0.8, or what `MOST_STEPS` steps carry where
    that is less); the slider changes it without moving a node. A red circle M is a moment, a blue square I internal
    work, a green diamond D a decision: what most events of the type are. A dashed edge is a hand-over in most of its
    steps; a brown one leads back. Hover for exact numbers.
    """
    if not replay.events.height or not replay.cases.height:
        return worded(theme, "No journey to draw", NO_CASES)
    nodes, edges = flow_graph(replay)
    core = _readable(edges) if detail is None else min(max(round(detail * LEVELS), 1), LEVELS)
    chart = _chart(nodes, edges, core)
    figure = go.Figure()
    levels = [
        *_add_lines(figure, edges, chart),
        *_add_arrows(figure, edges, chart),
        *_add_edge_hovers(figure, nodes, edges, chart),
        *_add_edge_labels(figure, edges, chart, core),
        *_add_nodes(figure, nodes, chart),
    ]
    levels += [0] * _add_legend(figure, nodes)
    for trace, level in zip(figure.data, levels, strict=True):
        trace.visible = level <= core
    figure.update_xaxes(range=[0, chart.width], visible=False, fixedrange=True)
    figure.update_yaxes(range=[chart.heights[core - 1], 0], visible=False, fixedrange=True)
    title, subtitle = _words(replay, nodes, edges, core)
    titled(figure, theme, title, subtitle, f"Map of the journey. {title}. {_alt(nodes, edges)}",
           height=chart.heights[core - 1] + 96, margin={"l": 0, "r": 0, "b": 96})  # fmt: skip
    sliders = [_slider(figure, levels, chart, core)]
    figure.update_layout(width=chart.width, dragmode=False, hovermode="closest", sliders=sliders)
    return figure


def _readable(edges: list[Edge]) -> int:
    """The level that is shown at first: with more steps nobody could follow one."""
    n_steps = {level: sum(one.level <= level for one in edges) for level in range(1, USUAL + 1)}
    return max((level for level, n in n_steps.items() if n <= MOST_STEPS), default=1)


# --- where everything goes -----------------------------------------------------------------------------------------


def _chart(nodes: list[Node], edges: list[Edge], core: int) -> Chart:
    """Lay out what the first view shows; what is rarer goes into a band below, so that nothing ever moves."""
    shown = [node for node in nodes if node.level <= core]
    routed = _routed(edges, core)
    links = [Link(edge.source, edge.target, edge.n) for edge in routed]
    loops = {edge.source for edge in edges if edge.source == edge.target}
    ends = [node.key for node in shown if node.role in OUTCOMES]
    n_layers = max(layered([node.key for node in shown], links, ends).values()) + 1
    step = min(max((MAX_WIDTH - 2 * MARGIN) / max(n_layers - 1, 1), MIN_STEP), MAX_STEP)
    letters = int((step - 10) / LETTER_PX)
    lines = {node.key: [*wrapped(node.name, letters, 3), f"<b>{count(node.n)}</b>"] for node in nodes}
    rooms = {
        node.key: (RADIUS + (30 if node.key in loops else 12), LABEL_TOP + LINE_HEIGHT * len(lines[node.key]) + 10)
        for node in shown
    }
    drawing = drawn(rooms, links, ends)
    assert max(drawing.layer.values()) < n_layers
    spots = {node.key: (MARGIN + step * drawing.layer[node.key], 20 + drawing.y[node.key]) for node in shown}
    rare = [node for node in nodes if node.level > core]
    spots.update(_band(rare, spots, n_layers, step))
    places = {node.key: _place(spots[node.key], lines[node.key]) for node in nodes}
    routes = {pair: [(MARGIN + step * at, 20 + y) for at, y in route] for pair, route in drawing.routes.items()}
    curves = {}
    for edge in edges:
        pair = (edge.source, edge.target)
        samples = SAMPLES if edge.level <= core else RARE_SAMPLES
        curves[pair] = edge_curve(spots[edge.source], spots[edge.target], routes.get(pair, []), samples)
    heights = _heights(nodes, edges, places, curves, core)
    return Chart(places, curves, heights, 2 * MARGIN + step * (n_layers - 1))


def _routed(edges: list[Edge], core: int) -> list[Edge]:
    """The edges that shape the first view: the most frequent, and of each node the most frequent in and out."""
    shown = [edge for edge in edges if edge.level <= core]
    chosen = shown[:MAX_ROUTED]
    met: set[tuple[str, str]] = set()
    for edge in shown:
        ends = {("out", edge.source), ("in", edge.target)}
        if edge.source != edge.target and not ends <= met:
            met |= ends
            chosen.append(edge)
    return list(dict.fromkeys(chosen))


def _band(rare: list[Node], spots: dict[str, Point], n_layers: int, step: float) -> dict[str, Point]:
    """Rare nodes under the others, the least rare first; sideways by their place in cases."""
    y = max(spot[1] for spot in spots.values()) + 150
    placed: dict[str, Point] = {}
    for level in sorted({node.level for node in rare}):
        taken: dict[int, int] = defaultdict(int)
        for node in (node for node in rare if node.level == level):
            wish = round(1 + node.position * max(n_layers - 3, 0)) if n_layers > 2 else 0
            layer = min(range(n_layers), key=lambda at: (taken[at], abs(at - wish)))
            placed[node.key] = (MARGIN + step * layer, y + 108 * taken[layer])
            taken[layer] += 1
        y += 108 * max(taken.values())
    return placed


def _place(spot: Point, lines: list[str]) -> Place:
    half = LETTER_PX / 2 * max(len(line.replace("<b>", "").replace("</b>", "")) for line in lines)
    x, y = spot
    return Place(x, y, lines, (x - half, y + LABEL_TOP, x + half, y + LABEL_TOP + LINE_HEIGHT * len(lines)))


def _heights(
    nodes: list[Node],
    edges: list[Edge],
    places: dict[str, Place],
    curves: dict[tuple[str, str], list[Point]],
    core: int,
) -> list[float]:
    heights = []
    for level in range(1, LEVELS + 1):
        limit = max(level, core)
        lows = [places[node.key].box[3] for node in nodes if node.level <= limit]
        lows += [y for edge in edges if edge.level <= limit for _, y in curves[edge.source, edge.target]]
        heights.append(max(lows) + 10)
    return heights


# --- what is drawn: each function adds traces and returns the level of each ------------------------------------------


def _add_lines(figure: Any, edges: list[Edge], chart: Chart) -> list[int]:
    most = max(edge.n for edge in edges)
    groups: dict[tuple[int, float, bool, bool], list[Edge]] = defaultdict(list)
    for edge in edges:
        width = WIDTHS[min(int(len(WIDTHS) * (edge.n / most) ** 0.5), len(WIDTHS) - 1)]
        groups[edge.level, width, edge.handover_share > 0.5, is_back(edge, chart)].append(edge)
    for (_, width, handed, back), group in sorted(groups.items()):
        points = [point for edge in group for point in [*chart.curves[edge.source, edge.target], (None, None)]]
        figure.add_scatter(
            x=[x for x, _ in points], y=[y for _, y in points], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": BACK if back else LINE, "width": width, "dash": "6px,3px" if handed else "solid"},
        )  # fmt: skip
    return [key[0] for key in sorted(groups)]


def is_back(edge: Edge, chart: Chart) -> bool:
    """Whether an edge leads back to what is drawn further left."""
    return chart.places[edge.target].x < chart.places[edge.source].x


def _add_arrows(figure: Any, edges: list[Edge], chart: Chart) -> list[int]:
    most = max(edge.n for edge in edges)
    groups: dict[tuple[int, bool], list[Edge]] = defaultdict(list)
    for edge in edges:
        groups[edge.level, is_back(edge, chart)].append(edge)
    for (_, back), group in sorted(groups.items()):
        ends = [chart.curves[edge.source, edge.target][-2:] for edge in group]
        sizes = [round(9 + 8 * (edge.n / most) ** 0.5, 1) for edge in group]
        figure.add_scatter(
            x=[x for end in ends for x, _ in end], y=[y for end in ends for _, y in end], mode="markers",
            hoverinfo="skip", showlegend=False,
            marker={
                "symbol": "arrow", "angleref": "previous", "opacity": 1, "line": {"width": 0},
                "color": BACK if back else LINE, "size": [size for last in sizes for size in (0, last)],
            },
        )  # fmt: skip
    return [key[0] for key in sorted(groups)]


def _add_edge_hovers(figure: Any, nodes: list[Node], edges: list[Edge], chart: Chart) -> list[int]:
    names = {node.key: plain(node.name) for node in nodes}
    by_level: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        by_level[edge.level].append(edge)
    for _, group in sorted(by_level.items()):
        spots, texts = [], []
        for edge in group:
            curve = chart.curves[edge.source, edge.target]
            chosen = {curve[len(curve) * part // 4] for part in (1, 2, 3)}
            spots += sorted(chosen)
            texts += [_edge_hover(edge, names)] * len(chosen)
        figure.add_scatter(
            x=[x for x, _ in spots], y=[y for _, y in spots], mode="markers", hovertext=texts, hoverinfo="text",
            marker={"size": 14, "color": LINE, "opacity": 0}, showlegend=False,
        )  # fmt: skip
    return sorted(by_level)


def _edge_hover(edge: Edge, names: dict[str, str]) -> str:
    lines = [
        f"<b>{names[edge.source]} → {names[edge.target]}</b>",
        f"{counted(edge.n, 'time')} in {cases(edge.n_cases)}",
    ]
    if edge.median_us is not None:
        lines.append(f"median time {duration(edge.median_us)}")
        lines.append(f"hand-over in {percent(edge.handover_share)}")
    return hover(*lines)


def _add_edge_labels(figure: Any, edges: list[Edge], chart: Chart, core: int) -> list[int]:
    """Counts and median times beside edges, the most frequent first, where there is room."""
    taken: list[Box] = []
    for x, y, _, label in chart.places.values():
        taken += [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS), label]
    shown = [edge for edge in edges if edge.level <= core][:MAX_ROUTED]
    dots = np.array([dot for edge in shown for dot in dotted(chart.curves[edge.source, edge.target])])
    bounds = (0.0, 0.0, chart.width, chart.heights[core - 1])
    by_level: dict[int, list[tuple[Point, str]]] = defaultdict(list)
    for edge in shown:
        text = count(edge.n) if edge.median_us is None else f"{count(edge.n)} · {duration(edge.median_us)}"
        width = 6.0 * len(text) + 4
        spot = free_place(dotted(chart.curves[edge.source, edge.target]), width, 13, taken, dots, bounds)
        if spot:
            taken.append((spot[0] - width / 2, spot[1] - 7, spot[0] + width / 2, spot[1] + 7))
            by_level[edge.level].append((spot, text))
    for _, labels in sorted(by_level.items()):
        figure.add_scatter(
            x=[spot[0] for spot, _ in labels], y=[spot[1] for spot, _ in labels], text=[text for _, text in labels],
            mode="text", textfont={"size": 11, "shadow": "auto"}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    return sorted(by_level)


def _add_nodes(figure: Any, nodes: list[Node], chart: Chart) -> list[int]:
    by_level: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        by_level[node.level].append(node)
    for _, group in sorted(by_level.items()):
        inks = [ink_of(node.role) for node in group]
        x = [chart.places[node.key].x for node in group]
        y = [chart.places[node.key].y for node in group]
        figure.add_scatter(
            x=x, y=y, mode="markers", showlegend=False, cliponaxis=False,
            hovertext=[_node_hover(node) for node in group], hoverinfo="text",
            marker={
                "symbol": [SYMBOLS.get(node.role, ink.symbol) for node, ink in zip(group, inks, strict=True)],
                "size": [2 * RADIUS + (1 if ink.symbol == "diamond" else 0) for ink in inks],
                "color": [ink.colour for ink in inks], "opacity": 1, "line": {"width": 0},
            },
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=y, mode="text", text=[f"<b>{ink.letter}</b>" for ink in inks], hoverinfo="skip", showlegend=False,
            textfont={"size": 14, "color": "#ffffff"},
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=[at + LABEL_TOP for at in y], mode="text", hoverinfo="skip", showlegend=False, cliponaxis=False,
            text=["<br>".join(chart.places[node.key].lines) for node in group], textposition="bottom center",
            textfont={"size": 12, "shadow": "auto"},
        )  # fmt: skip
    return [level for level in sorted(by_level) for _ in range(3)]


SYMBOLS = dict.fromkeys(OUTCOMES, "hexagon2")
"""Verdicts are hexagons with the letter of the verdict."""


def ink_of(role: str) -> Ink:
    """Colour, symbol and letter of a node."""
    return NEED_INK if role == NEED else KIND_INK.get(role) or OUTCOME_INK[role]


def _node_hover(node: Node) -> str:
    name = f"<b>{plain(node.name, 120)}</b>"
    if node.role == NEED or node.role in OUTCOMES:
        return hover(name, f"{cases(node.n)}, {percent(node.case_share)} of all")
    return hover(
        name,
        f"mostly {node.role}",
        f"{counted(node.n, 'event')} in {cases(node.n_cases)} ({percent(node.case_share)})",
        f"hand-over in {percent(node.handover_share)}",
        f"median time to the next event {duration(node.median_next_us)}",
    )


def _add_legend(figure: Any, nodes: list[Node]) -> int:
    roles = [role for role in KIND_INK if any(node.role == role for node in nodes)]
    for role in roles:
        ink = KIND_INK[role]
        name = {"internal": "internal work"}.get(role, role) + f" ({ink.letter})"
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=name,
            marker={"symbol": ink.symbol, "size": 12, "color": ink.colour},
        )
    for name, colour, dash in (("hand-over", LINE, "6px,3px"), ("leads back", BACK, "solid")):
        line = {"color": colour, "width": 3, "dash": dash}
        figure.add_scatter(x=[None], y=[None], mode="lines", name=name, line=line)
    return len(roles) + 2


# --- slider and words ----------------------------------------------------------------------------------------------


def _slider(figure: Any, levels: list[int], chart: Chart, core: int) -> dict[str, Any]:
    frame = figure.layout.height - chart.heights[core - 1]
    steps = [
        {
            "label": f"{level * 100 // LEVELS} %",
            "method": "update",
            "args": [
                {"visible": [own <= level for own in levels]},
                {"yaxis.range": [chart.heights[level - 1], 0], "height": round(chart.heights[level - 1] + frame)},
            ],
        }
        for level in range(1, LEVELS + 1)
    ]
    current = {"prefix": "share of the flow shown: ", "font": {"size": 13}}
    return {"steps": steps, "active": core - 1, "currentvalue": current, "pad": {"t": 0, "l": 12, "r": 24}, "len": 0.98}


def _words(replay: Replayed, nodes: list[Node], edges: list[Edge], core: int) -> tuple[str, str]:
    shown = [edge for edge in edges if edge.level <= core]
    types = [node for node in nodes if node.key.startswith("type:")]
    n_shown = sum(node.level <= core for node in types)
    flow = sum(edge.n for edge in shown) / sum(edge.n for edge in edges)
    moments, handovers = (int(replay.cases[name].fill_null(0).sum()) for name in ("moments", "handovers"))
    title = f"{len(shown)} of {count(len(edges))} steps carry {percent(flow)} of the flow"
    if moments and handovers:
        title = f"{ratio(handovers / moments)} hand-overs for each moment; {title}"
    sample = f"{cases(replay.cases.height)}, {n_shown} of {len(types)} event types."
    return title, f"{sample} Numbers: how often, and the median time of the step."


def _alt(nodes: list[Node], edges: list[Edge]) -> str:
    names = {node.key: node.name for node in nodes}
    steps = "; ".join(f"{names[edge.source]} to {names[edge.target]}, {count(edge.n)}" for edge in edges[:8])
    return f"The most frequent steps: {steps}."
