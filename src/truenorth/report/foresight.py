"""The section on foresight: how far a backtest says that risks can be trusted, how early they come, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence

from truenorth.figures.foresight import discrimination_figure, reliability_figure
from truenorth.figures.wording import cases, count, shorten
from truenorth.foresight.backtest import Backtest
from truenorth.foresight.metrics import Estimate
from truenorth.insight.replayed import Replayed
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import NAME_CHARS, Table
from truenorth.spec.counted import percent

RULE = (
    "The models learnt from cases that were opened early and had ended before the split instant, and are judged on "
    "cases opened from then on: nothing of these was known to them. Intervals are 95 % bootstrap intervals over cases. "
    "A model goes to work only if it is better on held-out time than the base rate and than a logistic regression on a "
    "few terms."
)
ALARMS = (
    "A case is alarmed once, when its risk first reaches the threshold, which was chosen on earlier cases for the "
    "asked precision. Lead time: from the alarm to the instant at which the failure was known. A team that looks at N "
    "cases a day takes each day the N of highest risk that it has not looked at before."
)
WHY = (
    "What the risk goes with, and what would lower it as the model sees it, is association: candidates to be tried and "
    "measured, not causes."
)


def foresight_section(_replay: Replayed, inputs: Inputs) -> Section:
    """The backtest that was given."""
    found = inputs.backtest
    assert found is not None
    return Section(
        finding=finding(found),
        answer=found,
        figures={"reliability": reliability_figure(found), "seen": discrimination_figure(found)},
        tables={
            "reliability": _models(found),
            "seen": _seen(found),
            "alarms": _pairs("Alarms on held-out time.", _alarms(found)),
            "promises": _promises(found),
            "why": _pairs("What the risk goes with, and what would lower it.", _why(found)),
        },
        how=(RULE, ALARMS, WHY),
    )


def finding(found: Backtest) -> str:
    """What a reader should know first."""
    if not found.verdict.live:
        return f"No model is good enough to go to work: {found.verdict.why}."
    auc = found.scored.auc
    said = f"Of two cases the one that fails has the higher risk in {percent(auc.value)} of the pairs"
    lead, daily = found.lead, found.per_day
    early = "" if math.isnan(lead.lead_days) else f"; alarms come {lead.lead_days:.1f} days before a failure is known"
    if math.isnan(daily.precision.value):
        return f"{said}{early}."
    share, base = percent(daily.precision.value), percent(daily.base_rate)
    return f"{said}{early}; of the {daily.per_day} cases a day most at risk {share} fail, of all {base}."


def _models(found: Backtest) -> Table:
    rows = [
        (model.model, _shown(model.auc), _shown(model.brier), percent(model.calibration_error))
        for model in found.models
    ]
    headings = ("model", "AUC", "Brier score", "calibration error")
    caption = f"Models on {cases(found.n_test)} of held-out time."
    if (seen := found.seen_out) is not None and seen.n_cases < found.n_test:
        caption += (
            f" Of the {cases(seen.n_cases)} opened at least {seen.days:.0f} days before the data end, which show what "
            f"becomes of nearly all such, the calibration error of {found.judged} is {percent(seen.calibration_error)}."
        )
    return _table(caption, headings, rows)


def _seen(found: Backtest) -> Table:
    rows = [
        (
            str(one.first) if one.first == one.last else f"{one.first} to {one.last}",
            count(one.n_cases),
            percent(one.base_rate),
            _shown(one.auc),
            percent(one.calibration_error),
        )
        for one in found.buckets
    ]
    headings = ("events seen", "cases", "failed", "AUC", "calibration error")
    return _table(f"The {found.judged} model by how much of a case had been seen.", headings, rows)


def _alarms(found: Backtest) -> list[tuple[str, str]]:
    lead, daily, ahead = found.lead, found.per_day, found.survey
    never = math.isnan(lead.threshold) or math.isinf(lead.threshold)
    rows = [
        ("threshold", "none is good enough" if never else f"risk {lead.threshold:.2f}"),
        ("cases alarmed", f"{count(lead.n_alarmed)} of {count(lead.n_cases)}"),
        ("of these failed (precision)", _shown(lead.precision)),
        ("of the failing ones alarmed (recall)", _shown(lead.recall)),
        ("days before the failure was known, median", _days(lead.lead_days)),
        ("the middle half", f"{_days(lead.lead_days_q1)} to {_days(lead.lead_days_q3)}"),
        (f"a team that looks at {daily.per_day} cases a day: of these fail", _shown(daily.precision)),
        ("of all cases fail", percent(daily.base_rate)),
    ]
    if ahead is not None:
        silent = f"{count(ahead.n_never_answered)} of {count(ahead.n_failed)}"
        rows += [
            ("failing cases that never answered a survey", silent),
            ("of these alarmed", count(ahead.n_silent_seen)),
            ("days before the survey's answer, median", _shown(ahead.days_earlier, 1)),
        ]
    return rows


def _promises(found: Backtest) -> Table:
    rows = [
        (
            shorten(one.name, NAME_CHARS),
            percent(one.base_rate),
            _shown(one.scored.auc),
            one.verdict.used if one.verdict.live else "the base rate",
        )
        for one in found.promises
    ]
    return _table("Promises: how well breaks are foreseen.", ("promise", "breaks", "AUC", "used"), rows)


def _why(found: Backtest) -> list[tuple[str, str]]:
    terms = [(shorten(term, NAME_CHARS), "goes with the outcome") for term in found.baseline]
    lowers = [
        (
            shorten(one.words, NAME_CHARS),
            f"risk {one.risk:.2f} to {one.risk_after:.2f} in {count(one.n_rows)} predictions",
        )
        for one in found.levers
    ]
    return terms + lowers


def _pairs(caption: str, rows: Sequence[tuple[str, str]]) -> Table:
    return Table(caption=caption, headings=("what", "found"), numeric=(False, False), rows=tuple(rows))


def _table(caption: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    numeric = (False, *(True for _ in headings[1:]))
    return Table(caption=caption, headings=headings, numeric=numeric, rows=tuple(rows))


def _days(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.1f}"


def _shown(found: Estimate, digits: int = 3) -> str:
    if math.isnan(found.value):
        return "n/a"
    interval = "" if math.isnan(found.low) else f" ({found.low:.{digits}f} to {found.high:.{digits}f})"
    return f"{found.value:.{digits}f}{interval}"
