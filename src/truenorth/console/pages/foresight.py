"""Foresight: how far each journey's model can be trusted, and which one is asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from nicegui import ui

from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.fields import button
from truenorth.console.naming import titles_of
from truenorth.console.plots import Plot
from truenorth.console.registry import Choice, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Act, Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Tone, Words, heading, muted, notice, paragraph, tag
from truenorth.console.writing import Writing
from truenorth.figures.foresight import discrimination_figure, reliability_figure
from truenorth.foresight.backtest import Backtest
from truenorth.foresight.metrics import Estimate
from truenorth.foresight.told import backtest_of
from truenorth.server.api.models import (
    Look,
    Model,
    PromotionAsked,
    list_models,
    promote_model,
    read_model,
    retire_model,
    roll_model_back,
)

PATH = "/foresight"
STATES: dict[str, Tone] = {"live": "good", "shadow": "warn", "retired": "plain"}
PROMOTE = Act("promote", "Promote", "Make this model the live one? The one that is live now is retired.")
INSIST = Act("insist", "Promote anyway", "It is no better than guessing. Promote it anyway? The audit will say so.")
RETIRE = Act("retire", "Retire", "Ask this model no more?")
BETTER = "✓ On cases that it had not seen it was better than guessing."
NO_BETTER = "✗ On cases that it had not seen it was no better than guessing."
HOW = (
    "All figures are of held-out time: the model learnt from cases that were opened before an instant, and is judged "
    "on those opened after it, at every event they had. Intervals are 95 %, by a bootstrap over cases.",
    "Reliability: predictions in ten bins of equal size, what was said against the share that failed. Calibration "
    "error: the mean distance of the two; of few cases it is so large by chance even where every risk is right. Both "
    "are of the cases opened so long before the data end that nearly all like them have ended, where there are enough "
    "of these: of later ones only the quick have. The table below is of all.",
    "Precision at capacity: of the cases that a team would look at, the ones most at risk each day, the share that "
    "failed; beside it that of all cases. Lead time: from the first alarm to the instant a failure was known.",
    "Drift: whether cases that were opened since look like those learnt from, column by column, whether outcomes "
    "come in the same shares, and whether acting never, or always, would have been cheaper than the alarms. The chance "
    "of any false alarm of one look is at most 1 %.",
    "Alarms pay where a failure costs more actions than one over the share of the alarmed cases that failed, and fewer "
    "than one over that of the others. A case that was helped in time counts as an alarm that was wrong.",
    "A model goes live where it is better than the base rate and than a logistic regression of a few columns.",
)


class Filters(msgspec.Struct, frozen=True):
    """Which journey, the first if none; which of its models, the live one if none."""

    journey: str = ""
    version: str = ""


async def versions(sight: Sight) -> list[Choice]:
    """The models of the journey, the live one if none is named."""
    name = await chosen_journey(sight)
    models = await sight.ask(list_models, journey=name) if name else []
    return [Choice("", "the live one"), *(Choice(one.version, f"{one.version} ({one.state})") for one in models)]


async def table(sight: Sight, _filters: Filters) -> Table:
    """The models of a journey."""
    name = await chosen_journey(sight)
    return _versions(await sight.ask(list_models, journey=name) if name else [], sight)


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    name = await chosen_journey(sight)
    if name is None:
        nothing_live()
        return
    if name not in await titles_of(sight):
        notice("There is no live journey of this name.", "bad")
        return
    models = await sight.ask(list_models, journey=name)
    chosen = _chosen(models, filters.version)
    if chosen is None:
        notice("Nothing was learnt for this journey yet. Learn a model with: truenorth train --db URL -j " + name)
        return
    await _model(sight, name, chosen)
    heading("Versions")
    TableElement(_versions(models, sight), sight.writing, _acts(sight, name, models))
    if any(one.live_since for one in models if one.state == "retired") and sight.may("analyst"):
        _rolling_back(sight, name)


def _chosen(models: Sequence[Model], version: str) -> Model | None:
    by = {one.version: one for one in models}
    return by.get(version) or next((one for one in models if one.state == "live"), models[0] if models else None)


async def _model(sight: Sight, journey: str, model: Model) -> None:
    whole = await sight.ask(read_model, version=model.version, journey=journey)
    n_cases = sight.writing.number(model.cases)
    with Words("p", "", "tn-line"):
        tag(model.state, STATES[model.state])
        Words("span", f" Model {model.version}, made {sight.writing.instant(model.made)}, learnt from {n_cases} cases.")
    notice(BETTER if model.beats_baseline else NO_BETTER, "good" if model.beats_baseline else "warn")
    muted(f"{model.why}.")
    found = backtest_of(whole.metrics)
    if found is None:
        muted("Its figures were written by another version of the program: learn anew to see them.")
    elif not found.reliability.n:
        muted("There are no figures on held-out time: too few cases have ended to judge a model by.")
    else:
        Tiles(_tiles(found, model, sight.writing))
        Plot(reliability_figure(found, sight.writing.theme))
        Plot(discrimination_figure(found, sight.writing.theme))
        heading("Against simpler models")
        TableElement(_scores(found, sight.writing), sight.writing)
    heading("Drift")
    _drift(whole.looks, sight, journey)


def _tiles(found: Backtest, model: Model, writing: Writing) -> list[Tile]:
    judged, daily, lead = found.scored, found.per_day, found.lead
    days = "none" if math.isnan(lead.lead_days) else f"{writing.number(lead.lead_days, 1)} days"
    found_share = writing.percent(_known(lead.recall.value))
    return [
        Tile("AUC", writing.number(_known(judged.auc.value), 2), _told_apart(judged.auc, writing)),
        _calibration(found, writing),
        Tile(
            f"Precision at {daily.per_day} cases a day", writing.percent(_known(daily.precision.value)),
            f"of all cases {writing.percent(_known(daily.base_rate))} fail",
        ),
        Tile("Lead time", days, f"middle half {_days(lead.lead_days_q1, lead.lead_days_q3, writing)}"),
        Tile("Alarm from", writing.percent(model.threshold), f"finds {found_share} of those that fail"),
        Tile("Judged on", writing.number(found.n_test), f"cases opened since {writing.day(found.test_us)}"),
    ]  # fmt: skip


def _calibration(found: Backtest, writing: Writing) -> Tile:
    """Of the cases that the data show the end of, where there are enough."""
    of = found.seen_out or found.scored
    chance = "" if math.isnan(of.by_chance) else f"; chance alone: up to {writing.percent(of.by_chance, 1)}"
    error = writing.percent(_known(of.calibration_error), 1)
    return Tile("Calibration error", error, f"said against what came{chance}")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _interval(found: Estimate, writing: Writing) -> str:
    if math.isnan(found.low):
        return "too few cases for an interval"
    return f"{writing.number(found.low, 2)} to {writing.number(found.high, 2)}"


def _told_apart(found: Estimate, writing: Writing) -> str:
    return f"{_interval(found, writing)}; 0.5 is guessing"


def _days(low: float, high: float, writing: Writing) -> str:
    return "not known" if math.isnan(low) else f"{writing.number(low, 1)} to {writing.number(high, 1)} days"


def _scores(found: Backtest, writing: Writing) -> Table:
    columns = (
        Column("model", "Model"),
        Column("auc", "AUC", "number", 3),
        Column("interval", "95 % interval"),
        Column("brier", "Brier score", "number", 3),
        Column("log_loss", "Log loss", "number", 3),
        Column("calibration_error", "Calibration error", "percent", 1),
    )
    rows = [
        Row(
            (one.model, _known(one.auc.value), _interval(one.auc, writing), _known(one.brier.value),
             _known(one.log_loss), _known(one.calibration_error))
        )
        for one in found.models
    ]  # fmt: skip
    return Table(
        caption="Models on held-out time; lower scores are better, a higher AUC is", columns=columns, rows=rows
    )


def _drift(looks: Sequence[Look], sight: Sight, journey: str) -> None:
    if not looks:
        muted(f"Nobody has looked yet. Look, each week, with: truenorth models watch {journey} --db URL")
        return
    paragraph(str(looks[0].seen.get("words", "")))
    columns = (
        Column("at", "Looked", "instant"),
        Column("matured", "Cases ended since", "number"),
        Column("alarms", "Alarms", "number"),
        Column("words", "What was seen"),
    )
    rows = [
        Row((one.at, one.seen.get("n_matured"), len(one.seen.get("alarms", ())), str(one.seen.get("words", ""))))
        for one in looks
    ]
    TableElement(Table(caption="Looks at this model, the newest first", columns=columns, rows=rows), sight.writing)


def _versions(models: Sequence[Model], sight: Sight) -> Table:
    columns = (
        Column("version", "Version"),
        Column("state", "State"),
        Column("made", "Made", "instant"),
        Column("live_since", "Live since", "instant"),
        Column("cases", "Cases", "number"),
        Column("why", "On held-out time"),
    )
    rows = [
        Row(
            (one.version, one.state, one.made, one.live_since, one.cases, one.why),
            address_of(PATH, {"journey": one.journey, "version": one.version}),
            tuple(_may(one, sight)),
            {"state": STATES[one.state]},
        )
        for one in models
    ]
    return Table(caption="Models, the newest first", columns=columns, rows=rows, empty="There is no model yet.")


def _may(model: Model, sight: Sight) -> list[Act]:
    if not sight.may("analyst"):
        return []
    if model.state == "live":
        return [RETIRE]
    if model.beats_baseline:
        return [PROMOTE]
    return [INSIST] if sight.may("admin") else []


def _acts(sight: Sight, journey: str, models: Sequence[Model]) -> Any:
    async def act(name: str, number: int) -> None:
        asked = {"version": models[number].version, "journey": journey}
        if name == RETIRE.name:
            await sight.ask(retire_model, **asked)
        else:
            await sight.ask(promote_model, **asked, asked=PromotionAsked(insist=name == INSIST.name))
        ui.navigate.to(address_of(PATH, {"journey": journey}))

    return sight.doing(act)


def _rolling_back(sight: Sight, journey: str) -> None:
    """A button that asks before it does."""
    with Words("p", "", "tn-line") as place:

        def ask() -> None:
            place.clear()
            with place:
                Words("span", "Make the model live again that was so before? ")
                button("Roll back", sight.doing(back), is_main=True)
                button("Leave it", lambda: ui.navigate.to(sight.address()))

        async def back() -> None:
            await sight.ask(roll_model_back, journey=journey)
            ui.navigate.to(address_of(PATH, {"journey": journey}))

        button("Roll back", ask)


PAGES = (
    Page(
        path=PATH,
        title="Foresight",
        group="Understand",
        role="viewer",
        filters=Filters,
        choices={"journey": journeys, "version": versions},
        labels={"version": "Model"},
        how=HOW,
        twin=lambda filters: address_of("/api/v1/models", {"journey": filters.journey}),
        table=table,
        build=build,
    ),
)
