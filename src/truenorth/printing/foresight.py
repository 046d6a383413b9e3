"""What the commands that look ahead print: findings on standard output, everything else on standard error."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from truenorth.foresight.backtest import Backtest
from truenorth.foresight.evaluate import Lead, SeenOut
from truenorth.foresight.metrics import Estimate
from truenorth.foresight.model import Foresight
from truenorth.printing.terminal import err, out, write_json
from truenorth.spec.counted import counted

INTERVAL_WIDTH = 20
"""Of a figure and its interval: it is not broken where there are 80 columns."""
MOST_LEVERS = 3
LEAST_CHANGE = 0.01
"""What would lower risks by less is not worth a line."""
TOO_GOOD = 0.99
"""So large an area makes one ask whether a column says what is known only once a case is over."""


def backtested(found: Backtest, *, as_json: bool) -> None:
    """All findings of a backtest, the verdict last."""
    if as_json:
        write_json(found)
        return
    out.print(
        f"learnt from {counted(found.n_fit, 'case')}, chosen on {found.n_valid:,}, judged on {found.n_test:,} opened "
        f"since {_day(found.test_us)}; {found.n_censored:,} still open then: these teach each outcome by its chance"
    )
    out.print(f"{_failed(found)}\n")
    out.print(_models(found))
    out.print()
    out.print(_buckets(found))
    out.print()
    for line in (*_alarm_lines(found), *_other_lines(found)):
        out.print(line, markup=False)
    _promise_lines(found)
    if found.baseline:
        out.print(f"the logistic baseline looks at: {'; '.join(found.baseline)}", markup=False)
    _verdict(found)


def trained(found: Backtest, foresight: Foresight, written: str, *, in_store: bool, as_json: bool) -> None:
    """What goes to work, or why nothing does; where it is kept, and what next."""
    if as_json:
        said = {"version": foresight.version, "verdict": found.verdict, "written": written}
        write_json({**said, "n_cases": foresight.n_cases, "threshold": foresight.threshold, "backtest": found})
        return
    out.print(_models(found))
    times = f", {_day(foresight.data_from_us)} to {_day(foresight.data_to_us)}" if foresight.n_rows else ""
    out.print(
        f"model {foresight.version}: {counted(foresight.n_cases, 'case')}, {counted(foresight.n_rows, 'row')}{times}"
    )
    _verdict(found)
    if written:
        err.print(f"wrote {escape(written)}")
    if in_store:
        next_step = f"truenorth models promote {foresight.journey} {foresight.version}, with the same --db"
        err.print(f"kept as a shadow, which shows nothing yet; next: {next_step}", markup=False, soft_wrap=True)
    elif not written:
        err.print("the model is kept nowhere: --out FILE keeps it")


def _failed(found: Backtest) -> str:
    """How many failed, by the one word for it where there is but one."""
    if math.isnan(found.base_rate):
        return "no case could be judged"
    hoped, *others = found.outcomes
    ended = f"ended as '{others[0]}'" if len(others) == 1 else f"did not end as '{hoped}'"
    return f"{found.base_rate:.1%} of the judged cases {escape(ended)}"


def _verdict(found: Backtest) -> None:
    live, best = found.verdict.live, max((model.auc.value for model in found.models), default=math.nan)
    out.print(f"\n[{'green' if live else 'yellow'}]{escape(found.verdict.why)}[/]")
    if best >= TOO_GOOD:
        out.print(
            f"an area of {best:.3f} is rare: does a column say what is known only once a case is over? "
            "Leave it out with --without COLUMN"
        )
    if not live:
        out.print("no model goes live; cases are given the base rate")


def _models(found: Backtest) -> Table:
    table = Table("model", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("AUC", "Brier score"):
        table.add_column(name, justify="right", min_width=INTERVAL_WIDTH)
    for name in ("log\nloss", "calibration\nerror", "by\nchance"):
        table.add_column(name, justify="right")
    for model in found.models:
        figures = (
            _estimate(model.auc),
            _estimate(model.brier),
            _figure(model.log_loss),
            _figure(model.calibration_error),
            _figure(model.by_chance),
        )
        table.add_row(model.model, *figures)
    return table


def _buckets(found: Backtest) -> Table:
    table = Table("events\nseen", box=None, pad_edge=False)
    for name in ("cases", "failed", "AUC", "Brier\nscore", "calibration\nerror", "by\nchance"):
        table.add_column(name, justify="right", min_width=INTERVAL_WIDTH if name == "AUC" else None)
    for one in found.buckets:
        seen = str(one.first) if one.first == one.last else f"{one.first}-{one.last}"
        figures = _estimate(one.auc), f"{one.brier:.3f}", f"{one.calibration_error:.3f}", _figure(one.by_chance)
        table.add_row(seen, f"{one.n_cases:,}", f"{one.base_rate:.1%}", *figures)
    return table


def _alarm_lines(found: Backtest) -> list[str]:
    lead, daily = found.lead, found.per_day
    never = "no threshold" if math.isinf(lead.threshold) else f"risk {lead.threshold:.2f}"
    short = "" if lead.reached_on_validation else " (not reached on validation)"
    lines = [
        f"alarm at {never} for a precision of {lead.asked_precision:.0%}{short}: {lead.n_alarmed:,} of "
        f"{counted(lead.n_cases, 'case')}, precision {_estimate(lead.precision)}, recall {_estimate(lead.recall)}",
        _lead_line(lead),
        f"a team that looks at {counted(daily.per_day, 'case')} a day: {daily.n_looked_at:,} looked at, "
        f"{_estimate(daily.precision)} of them fail (base rate {_figure(daily.base_rate)})",
    ]
    costs = [
        f"cost a case where a failure costs {cost.ratio:g} actions: {cost.cost:.3f} "
        f"as chosen, {cost.followed:.3f} followed (always act {cost.always:.3f}, never {cost.never:.3f})"
        for cost in found.costs
    ]
    return lines + costs


def _lead_line(lead: Lead) -> str:
    if math.isnan(lead.lead_days):
        return "lead time: none, no failing case was alarmed"
    return (
        f"lead time: {lead.lead_days:.1f} days before the failure was known (median; middle half "
        f"{lead.lead_days_q1:.1f} to {lead.lead_days_q3:.1f})"
    )


def _level_line(found: Backtest) -> str:
    level = found.level
    line = (
        f"{level.learnt:.1%} of the cases learnt from fail, {level.came:.1%} of those held out; were the level of all "
        f"risks put right, {level.calibration_error:.3f} of the calibration error would be left"
    )
    has_followed = level.if_left != found.scored.calibration_error
    return f"{line}; had it stayed as learnt, {level.if_left:.3f}" if has_followed else line


def _seen_out_line(seen: SeenOut) -> str:
    return (
        f"{counted(seen.n_cases, 'case')} of these opened at least {seen.days:.1f} days before the data end, as long "
        f"as nearly all take: of their predictions {seen.base_rate:.1%} fail, calibration error "
        f"{seen.calibration_error:.3f}, by chance {seen.by_chance:.3f}"
    )


def _other_lines(found: Backtest) -> list[str]:
    lines = [_level_line(found)] if math.isfinite(found.level.calibration_error) else []
    if found.seen_out is not None and found.seen_out.n_cases < found.n_test:
        lines.append(_seen_out_line(found.seen_out))
    if (days := found.remaining) is not None:
        stayed = f"{days.as_learnt:.3f} had its ends stayed as learnt"
        held = f"the {days.asked_coverage:.0%} interval held {_estimate(days.coverage)}, {stayed}"
        if days.open_ended:
            held += f"; {days.open_ended:.0%} of them have no upper end, as too few long cases had ended to know it"
        lines.append(
            f"time remaining: off by {_estimate(days.mae, 2)} days on average (always 0: {days.mae_zero:.2f}, "
            f"always the median: {days.mae_median:.2f}); {held}"
        )
    if (hits := found.next) is not None:
        lines.append(
            f"next event: {_estimate(hits.accuracy)} right (always the most frequent: {hits.constant:.3f}, "
            f"what usually follows the last one: {hits.usual:.3f})"
        )
    if (ahead := found.survey) is not None:
        lines.append(
            f"surveys: {ahead.n_never_answered:,} of {ahead.n_failed:,} failing cases never answered, "
            f"{ahead.n_silent_seen:,} of these were alarmed; where both spoke ({ahead.n_both:,}) the alarm was "
            f"{_estimate(ahead.days_earlier, 1)} days earlier (median)"
        )
    lines += [
        f"what would help, as the model sees it: {lever.words}: {lever.n_rows:,} of the predictions most at risk, "
        f"risk {lever.risk:.2f} to {lever.risk_after:.2f}"
        for lever in found.levers[:MOST_LEVERS]
        if lever.risk - lever.risk_after >= LEAST_CHANGE
    ]
    return lines


def _promise_lines(found: Backtest) -> None:
    for promise in found.promises:
        figures = f"AUC {_estimate(promise.scored.auc)}, Brier {promise.scored.brier.value:.3f}"
        base = f"({promise.brier_base_rate:.3f} base rate)"
        text = f"promise {promise.name}: breaks {promise.base_rate:.1%}; {figures} {base}"
        out.print(text if promise.verdict.live else f"{text}: {promise.verdict.why}", markup=False)


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _estimate(found: Estimate, digits: int = 3) -> str:
    if math.isnan(found.value):
        return "-"
    if math.isnan(found.low):
        return f"{found.value:.{digits}f}"
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _day(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d}"
