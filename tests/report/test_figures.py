"""Figures: what is drawn are the frames' numbers, in words where there is nothing to draw, and text stays text."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from report.replays import CASES, EVENTS, HOSTILE, MadeReplay, diced, empty, frame, hostile, hours, journey, tiny
from truenorth import figures
from truenorth.figures.curves import bezier, overlaps
from truenorth.figures.flow_graph import flow_graph
from truenorth.figures.journey_map import MAX_WIDTH
from truenorth.figures.layered import Link, drawn, layered
from truenorth.figures.theme import KIND_INK, OUTCOME_INK, SURFACES, VERDICT_INK
from truenorth.insight import (
    cumulative_incidence,
    direct_follows,
    points_of_failure,
    promise_breaks,
    promise_verdicts,
    variants,
)

ALL = [getattr(figures, name) for name in figures.__all__]


@pytest.fixture(scope="module")
def replay() -> MadeReplay:
    return diced(300)


def bars(figure: Any) -> dict[str, tuple[float, ...]]:
    return {trace.name: trace.x for trace in figure.data if trace.type == "bar"}


def test_import_of_the_package_does_not_load_plotly() -> None:
    code = "import truenorth, sys; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_outcome_bars_are_counts(replay: MadeReplay) -> None:
    figure = figures.outcome_figure(replay)
    drawn_counts = sorted(trace.x[0] for trace in figure.data)
    assert drawn_counts == sorted(replay.cases.group_by("outcome").len()["len"].to_list())
    decided = replay.cases.filter(pl.col("outcome") != "open")
    share = decided.filter(pl.col("outcome") == "achieved").height / decided.height
    assert f"{100 * share:.1f} % of {decided.height} decided cases" in figure.layout.title.text


def test_promise_bars_are_shares_of_instances(replay: MadeReplay) -> None:
    table = promise_verdicts(replay)
    drawn_shares = bars(figures.promise_figure(replay))
    for verdict in ("kept", "broken", "lapsed", "open"):
        assert drawn_shares[verdict] == pytest.approx((table[verdict] / table["made"]).to_list())


def test_breaks_bars_are_rates(replay: MadeReplay) -> None:
    figure = figures.breaks_figure(replay, "channel")
    table = promise_breaks(replay, "channel").filter(pl.col("broken_share").is_not_null())
    assert figure.data[0].x == pytest.approx(table["broken_share"].to_list())
    assert figure.data[0].error_x.array == pytest.approx((table["high"] - table["broken_share"]).to_list())


def test_trend_shares_add_up_to_one(replay: MadeReplay) -> None:
    figure = figures.trend_figure(replay)
    columns = zip(*(trace.y for trace in figure.data), strict=True)
    assert [sum(share or 0 for share in column) for column in columns] == pytest.approx([1.0] * len(figure.data[0].x))


def test_curves_end_where_the_table_does(replay: MadeReplay) -> None:
    curves = cumulative_incidence(replay)
    figure = figures.time_to_outcome_figure(replay)
    achieved = next(trace for trace in figure.data if trace.name == "achieved")
    assert achieved.y[-1] == pytest.approx(curves["achieved"][-1], abs=0.02)
    assert list(achieved.y) == sorted(achieved.y)


def test_failure_bars_are_the_ranking(replay: MadeReplay) -> None:
    figure = figures.failure_figure(replay)
    table = points_of_failure(replay).filter((pl.col("value_lost") > 0) & pl.col("clear"))
    assert list(figure.data[0].x) == pytest.approx(table["value_lost"].head(12).to_list())


def test_variants_draw_every_event_of_the_shown_ones(replay: MadeReplay) -> None:
    table = variants(replay, 10)
    figure = figures.variants_figure(replay)
    assert sum(len(trace.x) for trace in figure.data) == table["types"].list.head(24).list.len().sum()
    key = figure.layout.meta["key"]
    assert {name for types in table["types"] for name in types} == set(key.values())


def test_map_edges_are_the_direct_follows(replay: MadeReplay) -> None:
    _, edges = flow_graph(replay)
    inner = {
        (edge.source.removeprefix("type:"), edge.target.removeprefix("type:")): edge.n
        for edge in edges
        if edge.source.startswith("type:") and edge.target.startswith("type:")
    }
    assert inner == {(row[0], row[1]): row[2] for row in direct_follows(replay).iter_rows()}
    assert sum(edge.n for edge in edges) == replay.events.height + replay.cases.height


@pytest.mark.parametrize("n_types", [0, 20, 85])
def test_map_levels(n_types: int) -> None:
    """Each level shows at least its share of the flow, nothing that hangs in the air, and all verdicts."""
    nodes, edges = flow_graph(diced(300, n_types=n_types))
    total = sum(edge.n for edge in edges)
    for level in range(1, 11):
        shown = [edge for edge in edges if edge.level <= level]
        names = {node.key for node in nodes if node.level <= level}
        assert sum(edge.n for edge in shown) >= level / 10 * total - 1e-9
        assert names == {key for edge in shown for key in (edge.source, edge.target)} | {"need"}
        assert {"need", "achieved", "failed", "abandoned", "open"} <= names
        between = [edge for edge in shown if edge.source != edge.target]
        assert names - {edge.target for edge in between} == {"need"}
        assert names - {edge.source for edge in between} == {"achieved", "failed", "abandoned", "open"}


def label_box(x: float, y: float, text: str) -> tuple[float, float, float, float]:
    lines = text.replace("<b>", "").replace("</b>", "").split("<br>")
    half = 3.0 * max(map(len, lines))
    return x - half, y, x + half, y + 15 * len(lines)


@pytest.mark.parametrize(("n_steps", "fits"), [(10, True), (12, False)])
def test_a_map_keeps_to_a_laptop_as_long_as_its_words_are_readable(n_steps: int, fits: bool) -> None:
    steps = [{"case": "1", "id": str(n), "type": f"Step {n}", "time": hours(n), "moment": True} for n in range(n_steps)]
    short = tiny()
    long = replace(short, cases=short.cases.head(1), events=frame(steps, EVENTS))
    assert (figures.journey_map_figure(long).layout.width <= MAX_WIDTH) is fits


@pytest.mark.parametrize("n_types", [0, 20, 85])
@pytest.mark.parametrize("detail", [0.3, 0.8, 1.0])
def test_map_is_legible(n_types: int, detail: float) -> None:
    """No two nodes and no two labels overlap, at any level; the slider has ten steps and moves nothing."""
    figure = figures.journey_map_figure(diced(300, n_types=n_types), detail)
    spots, labels = [], []
    for trace in figure.data:
        if trace.hovertext and trace.marker.opacity == 1:
            spots += list(zip(trace.x, trace.y, strict=True))
        if trace.mode == "text" and trace.textposition == "bottom center":
            labels += [label_box(*label) for label in zip(trace.x, trace.y, trace.text, strict=True)]
    boxes = [(x - 15, y - 15, x + 15, y + 15) for x, y in spots]
    assert len(labels) == len(spots)
    assert all(15 <= x <= figure.layout.width - 15 and y > 0 for x, y in spots)
    everything = boxes + labels
    clashes = [(one, two) for i, one in enumerate(everything) for two in everything[i + 1 :] if overlaps(one, two)]
    assert clashes == []
    (slider,) = figure.layout.sliders
    assert [step.label for step in slider.steps] == [f"{10 * i} %" for i in range(1, 11)]
    assert all(len(step.args[0]["visible"]) == len(figure.data) for step in slider.steps)
    shown = [sum(step.args[0]["visible"]) for step in slider.steps]
    assert shown == sorted(shown)
    assert [trace.visible for trace in figure.data] == slider.steps[slider.active].args[0]["visible"]


def test_map_is_the_same_every_time(replay: MadeReplay) -> None:
    assert figures.journey_map_figure(replay).to_json() == figures.journey_map_figure(diced(300)).to_json()


def test_layers_go_forward_and_long_edges_pass_between() -> None:
    links = [Link("a", "b", 9), Link("b", "c", 9), Link("a", "c", 5), Link("c", "a", 2), Link("a", "a", 99)]
    assert layered(["a", "b", "c"], links) == {"a": 0, "b": 1, "c": 2}
    drawing = drawn(dict.fromkeys("abc", (20.0, 20.0)), links)
    ((layer, y),) = drawing.routes["a", "c"]
    assert layer == 1
    assert abs(y - drawing.y["b"]) >= 29
    assert [at for at, _ in drawing.routes["c", "a"]] == [1]


def test_bezier_keeps_its_ends() -> None:
    points = bezier((0, 0), (5, 0), (5, 9), (10, 9))
    assert (points[0], points[-1]) == ((0, 0), (10, 9))


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_has_words(make: Any, theme: Any, replay: MadeReplay) -> None:
    figure = make(replay, theme=theme)
    assert figure.layout.paper_bgcolor is None
    assert figure.layout.template.layout.paper_bgcolor == SURFACES[theme]["paper"]
    meta = figure.layout.meta
    assert meta["title"]
    assert meta["subtitle"]
    assert len(meta["alt"]) > len(meta["title"])


def all_open() -> MadeReplay:
    made = tiny()
    blank = pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("outcome_time")
    cases = made.cases.with_columns(pl.lit("open").alias("outcome"), pl.lit(None, pl.String).alias("reason"), blank)
    return MadeReplay(journey=made.journey, cases=cases, events=made.events, watermark=made.watermark)


def one_case() -> MadeReplay:
    cases = [{"case": "1", "opened": hours(0), "outcome": "achieved", "outcome_time": hours(0), "value": 1.0}]
    events = [{"case": "1", "id": "e", "type": "x", "time": hours(0)}]
    return MadeReplay(journey=journey(), cases=frame(cases, CASES), events=frame(events, EVENTS))


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
@pytest.mark.parametrize("degenerate", [empty, all_open, one_case], ids=lambda case: case.__name__)
def test_degenerate_replays_give_a_figure(make: Any, degenerate: Any) -> None:
    figure = make(degenerate())
    assert figure.layout.title.text
    assert figure.data or figure.layout.meta["empty"]
    assert "NaN" not in figure.to_json()


def test_empty_figures_say_why() -> None:
    assert figures.outcome_figure(empty()).layout.meta["empty"].startswith("No case was opened")
    assert figures.promise_figure(tiny()).layout.meta["empty"] == "The journey makes no promises."
    assert "still open" in figures.time_to_outcome_figure(all_open()).layout.meta["empty"]


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_no_markup_of_a_stranger_in_a_label(make: Any) -> None:
    """Plotly reads HTML in labels; only `meta`, which the page escapes itself, holds text as it came."""
    shown = json.loads(make(hostile()).to_json())
    shown["layout"].pop("meta")
    text = json.dumps(shown)
    assert HOSTILE not in text
    assert "<script" not in text
    assert "<img" not in text


@pytest.mark.parametrize("inks", [OUTCOME_INK, VERDICT_INK, KIND_INK])
def test_colour_is_never_alone(inks: Any) -> None:
    """Every colour comes with a pattern, symbol or letter of its own, and stands out from either background."""
    assert len({(ink.pattern, ink.symbol, ink.letter) for ink in inks.values()}) == len(inks)
    for ink in inks.values():
        for surface in SURFACES.values():
            assert contrast(ink.colour, surface["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
