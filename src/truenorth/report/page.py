"""From a replay to one self-contained page. The words and the markup are in ``truenorth/templates``."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from truenorth import figures
from truenorth.figures.theme import template
from truenorth.figures.wording import cases, count, money, ratio
from truenorth.insight.overview import Overview, overview
from truenorth.insight.promises import promise_verdicts
from truenorth.insight.replayed import Replayed
from truenorth.insight.slices import bounds_of
from truenorth.logs.whole import whole_file
from truenorth.report import tables
from truenorth.report.parts import PARTS
from truenorth.report.section import Inputs, Section, Subject
from truenorth.report.subjects import sections
from truenorth.spec.counted import counted, percent

HEADER_PX, BARE_PX = 40, 8
"""Room above a plot with and without a legend, when its title stands outside."""


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as the page needs it: its words and its drawing; ``empty`` says why there is nothing to draw."""

    name: str
    title: str
    subtitle: str
    alt: str
    empty: str
    drawing: dict[str, Any]
    steps: tuple[dict[str, Any], ...] = ()
    active: int = 0
    key: Mapping[str, str] = {}
    min_width: int = 0
    """Pixels below which the drawing scrolls sideways."""
    max_width: int = 0
    """Pixels above which it gains nothing, 0 for no such limit."""

    @property
    def height(self) -> int:
        """Height of the drawing, in pixels."""
        return round(float(self.drawing["layout"]["height"]))

    @property
    def width(self) -> int:
        """Width of the drawing in pixels, 0 for one that takes the width there is."""
        return round(float(self.drawing["layout"].get("width", 0)))


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A key number; ``kind`` says whether it counts what happened for the customer or the company's own work."""

    label: str
    value: str
    note: str = ""
    kind: str = "outcome"


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """An insight as the page needs it: names of its plots, and of the tables that stand under none of them."""

    anchor: str
    title: str
    finding: str
    plots: tuple[str, ...]
    tables: tuple[str, ...]
    how: tuple[str, ...]


def write_report(
    replay: Replayed, path: str | Path, inputs: Inputs | None = None, parts: Collection[str] = PARTS
) -> Path:
    """Write the report of a replay to ``path`` as one HTML file and return the path.

    ``inputs``: what insights need beside the replay; ``parts``: which of `PARTS` it has. Raises `TruenorthError` where
    nothing can be written.
    """
    page = report_html(replay, inputs, parts)
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return Path(path)


def report_html(replay: Replayed, inputs: Inputs | None = None, parts: Collection[str] = PARTS) -> str:
    """The report as one HTML page that needs no network: figures, their numbers, and how each is computed.

    About 5 MB, nearly all of it the drawing library. The page forbids itself any request (a content security policy
    that allows its own two scripts by their digests and nothing from elsewhere).
    """
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 five megabytes

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("truenorth", "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    library, script = get_plotlyjs(), _source(environment, "report.js")
    insights = sections(replay, inputs or Inputs(), parts)
    plots = {plot.name: plot for plot in [*_plots(replay, parts), *_insight_plots(insights)]}
    drawings = {
        "templates": {name: template(name).to_plotly_json() for name in ("light", "dark")},
        "figures": {name: {**plot.drawing, "steps": plot.steps} for name, plot in plots.items() if not plot.empty},
    }
    return environment.get_template("report.html").render(
        journey=replay.journey,
        title=replay.journey.title or replay.journey.name,
        parts=frozenset(parts),
        canvas=_canvas(replay.journey.canvas),
        sample=_sample(replay),
        tiles=_tiles(replay),
        work=_work(replay),
        plots=plots,
        tables=_tables(replay, parts) | _insight_tables(insights),
        chapters=[_chapter(subject, section) for subject, section in insights],
        has_value=bool(replay.journey.outcome.value),
        style=Markup(_source(environment, "report.css")),  # noqa: S704 our own file
        library=Markup(library),  # noqa: S704 the library's own file
        script=Markup(script),  # noqa: S704 our own file
        drawings=Markup(script_json(drawings)),  # noqa: S704 escaped for a script element
        digests=[_digest(library), _digest(script)],
    )


def _source(environment: jinja2.Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def script_json(value: Any) -> str:
    r"""JSON that is safe inside a script element, whatever text it holds.

    >>> print(script_json({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


# --- figures -------------------------------------------------------------------------------------------------------


FIGURES: Mapping[str, Mapping[str, Callable[[Replayed], Any]]] = {
    "outcome": {"outcome": figures.outcome_figure, "trend": figures.trend_figure},
    "promises": {"promises": figures.promise_figure},
    "journey": {"map": figures.journey_map_figure},
    "points": {"failure": figures.failure_figure},
    "time": {"pace": figures.time_to_outcome_figure},
    "variants": {"variants": figures.variants_figure},
    "breaks": {
        "teams": lambda replay: figures.breaks_figure(replay, "team"),
        "channels": lambda replay: figures.breaks_figure(replay, "channel"),
    },
}
"""The figures of each part, by name."""
TABLES: Mapping[str, Mapping[str, Callable[[Replayed], tables.Table]]] = {
    "promises": {"promises": tables.promise_table},
    "journey": {"steps": tables.step_table, "types": tables.type_table},
    "points": {"failure": tables.failure_table},
    "time": {"pace": tables.pace_table},
    "variants": {"variants": tables.variant_table},
    "breaks": {
        "teams": lambda replay: tables.breaks_table(replay, "team"),
        "channels": lambda replay: tables.breaks_table(replay, "channel"),
    },
    "quality": {"quality": tables.quality_table},
}
"""The tables of each part, by name."""


def _plots(replay: Replayed, parts: Collection[str]) -> list[Plot]:
    return [
        plot_of(name, draw(replay)) for part, drawn in FIGURES.items() if part in parts for name, draw in drawn.items()
    ]


def plot_of(name: str, figure: Any) -> Plot:
    """Take a figure apart: words for the page, and a drawing without title, slider and the colours of a theme."""
    drawing = json.loads(figure.to_json())
    layout = drawing["layout"]
    layout.pop("template", None)
    layout.pop("title", None)
    meta = layout.pop("meta")
    slider = (layout.pop("sliders", None) or [{"steps": [], "active": 0}])[0]
    legend = layout.get("showlegend", True) and len(drawing["data"]) > 1
    margin = layout["margin"]
    spare = margin["t"] - (HEADER_PX if legend else BARE_PX) + (margin["b"] - 8 if slider["steps"] else 0)
    margin["t"] -= spare if not slider["steps"] else margin["t"] - HEADER_PX
    margin["b"] = 8 if slider["steps"] else margin["b"]
    margin["l"] = 2
    layout["height"] -= spare
    for step in slider["steps"]:
        step["args"][1]["height"] -= spare
    layout["dragmode"] = False
    for axis in ("xaxis", "yaxis"):
        layout.setdefault(axis, {})["fixedrange"] = True
    return Plot(
        name=name, title=meta["title"], subtitle=meta["subtitle"], alt=meta["alt"], empty=meta.get("empty", ""),
        drawing={"data": drawing["data"], "layout": layout}, key=meta.get("key", {}),
        min_width=meta.get("min_width", 0), max_width=meta.get("max_width", 0),
        active=slider["active"],
        steps=tuple({"label": step["label"], "args": step["args"]} for step in slider["steps"]),
    )  # fmt: skip


def _tables(replay: Replayed, parts: Collection[str]) -> dict[str, tables.Table]:
    return {name: make(replay) for part, made in TABLES.items() if part in parts for name, make in made.items()}


# --- insights ------------------------------------------------------------------------------------------------------


def _insight_plots(insights: Sequence[tuple[Subject, Section]]) -> list[Plot]:
    return [
        plot_of(f"{subject.name}-{name}", figure)
        for subject, section in insights
        for name, figure in section.figures.items()
    ]


def _insight_tables(insights: Sequence[tuple[Subject, Section]]) -> dict[str, tables.Table]:
    return {f"{subject.name}-{name}": table for subject, section in insights for name, table in section.tables.items()}


def _chapter(subject: Subject, section: Section) -> Chapter:
    return Chapter(
        anchor=f"insight-{subject.name}",
        title=subject.title,
        finding=section.finding,
        plots=tuple(f"{subject.name}-{name}" for name in section.figures),
        tables=tuple(f"{subject.name}-{name}" for name in section.tables if name not in section.figures),
        how=section.how,
    )


# --- words and numbers ---------------------------------------------------------------------------------------------


QUESTIONS = (
    ("customer", "Who is the customer?"),
    ("expects", "What do they expect today?"),
    ("believes", "What do they think they are in?"),
    ("affects", "What do we do that affects their success?"),
    ("outcome", "What is the successful outcome?"),
    ("one_liner", "In one line"),
)


def _canvas(canvas: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The six questions with their answers; an unanswered one has none."""
    return [(question, _answers(canvas.get(key))) for key, question in QUESTIONS]


def _answers(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if isinstance(value, Mapping):
        return [f"{str(key).capitalize()}: {text}" for key, given in value.items() for text in _answers(given)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [text for given in value for text in _answers(given)]
    return [str(value)]


def _sample(replay: Replayed) -> dict[str, str]:
    times = replay.events["time"]
    first, last = times.min(), times.max()
    period = f"{_instant(first)} to {_instant(last)}" if replay.events.height else "no events"
    mark = _instant(replay.watermark) if replay.watermark else "none: the log is empty"
    since, until = bounds_of(replay)
    opened = (f" from {_instant(since)}" if since else "") + (f" before {_instant(until)}" if until else "")
    size = f"{counted(replay.events.height, 'event')} in {cases(replay.cases.height)}"
    size += f", all that opened{opened}" if opened else ""
    return {"size": size, "period": period, "watermark": mark}


def _instant(at: Any) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _tiles(replay: Replayed) -> list[Tile]:
    numbers = overview(replay)
    by, n = numbers.n_by_outcome, numbers.n_decided
    interval = f"95 % interval {percent(numbers.achieved_low)} to {percent(numbers.achieved_high)}"
    promises = promise_verdicts(replay)
    kept, broken = (int(promises[verdict].sum()) for verdict in ("kept", "broken"))
    return [
        Tile(
            label="Achieved",
            value=percent(numbers.achieved_share),
            note=f"of {count(n)} decided; {interval}" if n else "",
        ),
        *(
            Tile(label=name.capitalize(), value=count(by[name]), note=f"{percent(_share(by[name], n))} of decided")
            for name in ("failed", "abandoned")
        ),
        Tile(
            label="Promises kept", value=percent(_share(kept, kept + broken)), note=f"of {count(kept + broken)} judged"
        ),
        Tile(label="Cases", value=count(numbers.n_cases), note=f"{count(by['open'])} still open", kind="output"),
        *_money_tiles(replay, numbers),
    ]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _money_tiles(replay: Replayed, numbers: Overview) -> list[Tile]:
    currency = replay.journey.currency
    tiles = []
    if replay.journey.outcome.value:
        tiles.append(Tile(label="Value", value=money(numbers.value, currency), note="of all verdicts, as declared"))
    for name in ("cost", "revenue"):
        total = getattr(numbers, name)
        if total:
            each = money(getattr(numbers, f"{name}_per_achieved"), currency)
            tiles.append(
                Tile(label=name.capitalize(), value=money(total, currency), note="of all cases", kind="output")
            )
            tiles.append(Tile(label=f"{name.capitalize()} per achieved outcome", value=each))
    return tiles


def _work(replay: Replayed) -> list[Tile]:
    """Moments, hand-overs, decisions and internal work, counted apart."""
    names = ("moments", "handovers", "decisions", "internal")
    totals = {name: int(replay.cases[name].fill_null(0).sum()) for name in names}
    n_cases, moments = replay.cases.height, totals["moments"]

    def note(name: str) -> str:
        if name == "handovers" and not {"team", "actor"} & set(replay.events.columns):
            return "unknown: the log names neither team nor actor"
        per_case = f"{ratio(totals[name] / n_cases)} per case" if n_cases else ""
        per_moment = f", {ratio(totals[name] / moments)} per moment" if moments and name != "moments" else ""
        return per_case + per_moment

    labels = {"handovers": "Hand-overs", "internal": "Internal work"}
    return [
        Tile(label=labels.get(name, name.capitalize()), value=count(n), note=note(name), kind=name)
        for name, n in totals.items()
    ]
