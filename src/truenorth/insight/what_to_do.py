"""What to do about a point of failure, in the order of the method: eradicate, then improve, automate last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from truenorth.insight.candidates import Candidate
from truenorth.insight.coded import CodedEvents
from truenorth.spec.counted import counted, percent
from truenorth.spec.durations import format_duration
from truenorth.spec.model import Promise, PromiseKind
from truenorth.spec.wording import in_words


class Advice(NamedTuple):
    """One sentence for each of the three, with the numbers that bear on it."""

    eradicate: str
    improve: str
    automate: str


def advice(events: CodedEvents, candidate: Candidate) -> Advice:
    """What to ask about a point first, second and last."""
    if candidate.promise is not None:
        return _about_promise(events, candidate.promise, candidate)
    name = candidate.point
    n = int(candidate.passed.sum())
    if candidate.kind == "handovers":
        return Advice(
            f"Let whoever takes the case finish it: {counted(n, 'case was', 'cases were')} handed over more often.",
            "Where a hand-over must be, hand over all that is known, once.",
            "Route by the case's own facts only when who finishes what is settled.",
        )
    if candidate.kind == "repeat":
        return Advice(
            f"Find out why '{name}' is needed again in {counted(n, 'case')}, and make the first time enough.",
            f"Do the second '{name}' at once, by whoever did the first.",
            f"A machine that repeats '{name}' faster repeats the failure faster: last, if at all.",
        )
    if candidate.kind == "missing":
        return Advice(
            f"Ask whether cases can do without '{name}': most have it, {n:,} lacked it.",
            f"Make '{name}' part of every case that is like these.",
            f"Trigger '{name}' by itself once it is known to be what helps.",
        )
    return Advice(
        "Do at once what these cases waited for, and there is nothing to wait for.",
        "Say how long it will take, and look at what waits longest first.",
        "Let reminders run by themselves only when nothing else is left to wait for.",
    )


def _about_promise(events: CodedEvents, promise: Promise, candidate: Candidate) -> Advice:
    n, at_stake = int(candidate.passed.sum()), int(candidate.at_stake.sum())
    if candidate.follows_failure:
        return Advice(
            "It answers failure demand: find out what makes customers ask again, and there is nothing to answer.",
            f"Answer at once those who ask all the same: {n:,} of {counted(at_stake, 'case')} waited too long.",
            "A machine that answers faster hides what made them ask: last, if at all.",
        )
    if candidate.is_sign:
        return Advice(
            "A sign of what goes wrong, not a deed: look at what comes before it.",
            "Use it to notice cases that need help while there is time.",
            "Watch it by machine: that is what it is good for.",
        )
    if promise.kind is PromiseKind.RESPONSE:
        return Advice(
            f"Do at once what is promised, and there is nothing to promise{_kept_early(events, promise)}.",
            f"Keep it: {n:,} of {at_stake:,} {'was' if n == 1 else 'were'} broken{_lateness(events, promise)}.",
            "Let a machine do or remind of it when it is still needed and people can keep it.",
        )
    what = promise.never or promise.of or promise.before or promise.expect
    assert what is not None
    return Advice(
        f"Remove what brings about {in_words(what)} ({n:,} of {counted(at_stake, 'case')}).",
        "Where it cannot be removed, do it once, by the one who has the case.",
        "Automate what is left when it happens for a good reason only.",
    )


def _kept_early(events: CodedEvents, promise: Promise) -> str:
    kept = events.replay.promises.lazy().filter((pl.col("promise") == promise.name) & (pl.col("verdict") == "kept"))
    taken = kept.select((pl.col("decided") - pl.col("started")).dt.total_microseconds().median()).collect().item()
    return "" if taken is None else f" (half of the kept ones are done within {_span(taken)})"


def _lateness(events: CodedEvents, promise: Promise) -> str:
    """How late broken ones are kept in the end."""
    broken = events.replay.promises.filter((pl.col("promise") == promise.name) & (pl.col("verdict") == "broken"))
    if not broken.height or promise.expect is None:
        return ""
    answers = events.holds(promise.expect)
    rows = pl.DataFrame(
        {"case": events.cases["case"].gather(events.case[answers]), "at": events.time_us[answers]}
    ).sort("at")
    due = broken.select("case", at=pl.col("decided").to_physical()).sort("at")
    late = due.join_asof(
        rows.with_columns(done=pl.col("at")), on="at", by="case", strategy="forward", check_sortedness=False
    )
    gap = late.select((pl.col("done") - pl.col("at")).alias("gap"))["gap"]
    done = gap.drop_nulls()
    if not len(done):
        return ", and never made good"
    share, within = percent(len(done) / len(gap)), _span(float(np.median(done)))
    return f", {share} of them made good later, half of these within {within}"


def _span(us: float) -> str:
    unit = 60_000_000 if us < 86_400_000_000 else 3_600_000_000
    return format_duration(max(round(us / unit), 1) * unit)
