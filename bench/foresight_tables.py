"""The tables of docs/foresight-benchmarks.md that tell of backtests: their words and their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from truenorth.foresight.backtest import Backtest
from truenorth.foresight.evaluate import Bucket
from truenorth.foresight.metrics import Estimate

OUTCOME_HEAD = (
    "| log | held-out cases | AUC | logistic | by the protocol | as published, 64 % teach | 80 % | published | "
    "Brier (base rate) | goes to work | one core |\n|---|---|---|---|---|---|---|---|---|---|---|"
)
LEVEL_HEAD = (
    "| log | calibration error | by chance | had the level stayed | worst bucket | by chance | failed of those learnt "
    "from | failed of those held out | moved by | error with the level put right |\n|---|---|---|---|---|---|---|---|"
    "---|---|"
)
LEVEL_TEXT = (
    "\nWhether risks come true, at a level that follows what becomes of cases where these are looked at in silence, "
    "too, as those of a journey are. *Calibration error* is over all predictions, *worst bucket* is the largest of "
    "the numbers of events that 500 cases reach; goals .03 and .05. "
    "*By chance*: what the error is at most, in 95 of 100 logs, where every one of these risks is exactly right. "
    "*Had the level stayed*: the error of the risks as they were learnt. *Moved by*: the base rate of the cases, "
    "from those learnt from to those held out; no model of the past can know that. *With the level put right*: "
    "what is left of the error once one number is added to the log-odds of all risks so that their mean is right. "
    "That a level compares all that was said of cases, and not only what was said first, was picked on cases "
    "before the split; how far it is believed to go, on made-up cases whose truth is known. But that newest words "
    "are compared at all had been picked after eleven ways had been seen on these held-out cases: the figures of "
    "the level flatter by that.\n"
)
SEEN_OUT_TEXT = (
    "\nOf the cases opened shortly before a log ends only the quick ones have ended, and what takes long cannot have "
    "happened: no fine of the last year has been sent for collection. No risk can be right about that, so "
    "whether risks come true is seen of the cases opened at least so many days before the log ends as 95 % of "
    "the cases take at most that were known at the split. Goals .03 and .05. That this is looked at was decided on "
    "after the held-out figures had been seen; how long is what the level's window takes, too.\n"
)
SEEN_OUT_HEAD = (
    "| log | days | held-out cases opened so early | of their predictions fail | calibration error | by chance | "
    "worst bucket | by chance |\n|---|---|---|---|---|---|---|---|"
)
COST_TEXT = (
    "\nWhat alarms cost a case; *at most* is the goal (else 1 % over the better of the two constants). *Followed*: "
    "where a constant was cheaper of late, the threshold gave way to it. The rule was chosen on made-up logs and on "
    "cases before the split, but mended after these figures had been seen once "
    "([how](foresight.md#how-to-read-a-backtest)). *In silence*: cases were looked at between their events, too "
    "(`--in-silence`), as those of a journey are and as the live service does.\n"
)
COST_HEAD = (
    "| log | a failure costs | as chosen | followed | always act | never | at most |\n|---|---|---|---|---|---|---|"
)


def outcome_line(name: str, found: Backtest, used_s: float, *areas: float | None) -> str:
    """``areas``: by the protocol, the same as published, and what is published."""
    models = {model.model: model for model in found.models}
    first, base = found.models[0], models["base rate"].brier.value
    logistic = f"{models['logistic'].auc.value:.3f}" if "logistic" in models else ""
    shown_areas = " | ".join("" if value is None else f"{value:.3f}" for value in areas)
    return (
        f"| {name} | {found.n_test:,} | {shown(first.auc)} | {logistic} | {shown_areas} | "
        f"{first.brier.value:.4f} ({base:.4f}) | {found.verdict.used} | {used_s:.0f} s |"
    )


def calibration(judged: list[tuple[str, Backtest]]) -> Iterator[str]:
    """Whether the risks of some logs come true."""
    yield LEVEL_TEXT
    yield LEVEL_HEAD
    yield from (level_line(*one) for one in judged)
    yield SEEN_OUT_TEXT
    yield SEEN_OUT_HEAD
    yield from (seen_out_line(*one) for one in judged)


def level_line(name: str, found: Backtest) -> str:
    """Calibration of the model that is judged, and how far the times have changed."""
    level, judged = found.level, found.scored
    return (
        f"| {name} | {judged.calibration_error:.3f} | {judged.by_chance:.3f} | {level.if_left:.3f} | "
        f"{worst(found.buckets)} | "
        f"{level.learnt:.1%} | {level.came:.1%} | {level.moved:.3f} | {level.calibration_error:.3f} |"
    )


def seen_out_line(name: str, found: Backtest) -> str:
    """Calibration of the cases that the log goes on for long enough to see the end of."""
    seen = found.seen_out
    if seen is None:
        return f"| {name} | too few |" + " |" * 6
    return (
        f"| {name} | {seen.days:.1f} | {seen.n_cases:,} of {found.n_test:,} | {seen.base_rate:.1%} | "
        f"{seen.calibration_error:.3f} | {seen.by_chance:.3f} | {worst(seen.buckets)} |"
    )


def worst(buckets: tuple[Bucket, ...]) -> str:
    large = [bucket for bucket in buckets if bucket.n_cases >= 500]
    if not large:
        return "none so large | "
    most = max(large, key=lambda bucket: bucket.calibration_error)
    return f"{most.calibration_error:.3f} at {most.first} to {most.last} | {most.by_chance:.3f}"


def cost_table(lines: Iterable[str]) -> Iterator[str]:
    """What alarms cost on some logs, of which these are the `cost_lines`."""
    yield COST_TEXT
    yield COST_HEAD
    yield from lines


def cost_lines(name: str, found: Backtest, most: dict[float, float]) -> Iterator[str]:
    for cost in found.costs:
        goal = most.get(cost.ratio, 1.01 * min(cost.always, cost.never))
        yield (
            f"| {name} | {cost.ratio:g} actions | {cost.cost:.3f} | {cost.followed:.3f} | {cost.always:.3f} | "
            f"{cost.never:.3f} | {goal:.3f} |"
        )


def other_lines(name: str, found: Backtest) -> Iterator[str]:
    if (days := found.remaining) is not None:
        constants = f"always 0: {days.mae_zero:.2f}, always the median: {days.mae_median:.2f}"
        yield f"| {name} | days remaining, mean absolute error | {shown(days.mae, 2)} | {constants} |"
        stayed = f"0.88 to 0.92; had its ends stayed as learnt: {days.as_learnt:.3f}"
        yield f"| {name} | its 90 % interval held | {shown(days.coverage)} | {stayed} |"
    if (hits := found.next) is not None:
        beside = f"always the most frequent: {hits.constant:.3f}, what usually follows the last: {hits.usual:.3f}"
        yield f"| {name} | next event right | {shown(hits.accuracy)} | {beside} |"
    yield f"| {name} | lead time of alarms, median days | {found.lead.lead_days:.1f} | |"
    for promise in found.promises:
        beside = f"Brier {promise.scored.brier.value:.3f}, base rate {promise.brier_base_rate:.3f}"
        used = promise.verdict.used
        yield f"| {name} | promise {promise.name}, breaks: AUC ({used}) | {shown(promise.scored.auc)} | {beside} |"


def shown(found: Estimate, digits: int = 3) -> str:
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
