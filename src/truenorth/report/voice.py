"""The section on the customers' voice: what they talk about, and what becomes of those who do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truenorth.figures.wording import count, points, shorten
from truenorth.insight.replayed import Replayed
from truenorth.insight.voice import MAX_TEXTS, Theme, Voice, voice
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import NAME_CHARS, Shown, count_column, name_column, percent_column, shown
from truenorth.spec.counted import percent


def voice_section(replay: Replayed, inputs: Inputs) -> Section:
    """Themes of the customers' words."""
    found = voice(replay, seed=inputs.seed, names=inputs.theme_names)
    columns: list[Shown] = [
        name_column("theme", "name"),
        count_column("texts", "n"),
        percent_column("share", "share"),
        ("achieved, of decided cases", _achieved, True),
        ("feeling", lambda row: "" if row["feeling"] is None else f"{row['feeling']:+.2f}", True),
        ("trend, points", _trend, True),
        ("for example", lambda row: shorten(row["quotes"][0], NAME_CHARS), False),
    ]
    table = shown(found.to_frame(), "Themes, the most frequent first.", columns) if found.themes else None
    return Section(
        finding=finding(found),
        answer=found,
        tables={"themes": table} if table else {},
        how=(
            "Words are weighed by TF-IDF; themes are parts of a non-negative matrix factorisation. Words that many "
            "texts of a language share are left out. Themes are learnt from at most "
            f"{count(MAX_TEXTS)} different texts; each text belongs to its strongest theme, {count(found.n_other)} of "
            f"{count(found.n_texts)} to none. Words are "
            "not translated. A case has a theme if any of its texts does; intervals (95 %) take a customer's cases "
            "together. The trend is the share in the second half of the time less that in the first.",
        ),
    )


def finding(found: Voice) -> str:
    """What a reader should know first; themes are held against each other only where they can be told apart."""
    if not found.themes:
        return f"Customers' words tell nothing here: {found.missing or 'no theme stands out'}."
    first = found.themes[0]
    told = f"Customers talk most about {first.name} ({percent(first.share)} of {count(found.n_texts)} texts)."
    apart = _furthest_apart(found)
    if apart is None:
        return told
    worst, best = apart
    return (
        f"{told} Who talks about {worst.name} gets the outcome less often than who talks about {best.name}: "
        f"{percent(worst.achieved)} against {percent(best.achieved)}."
    )


def _furthest_apart(found: Voice) -> tuple[Theme, Theme] | None:
    """The themes with the lowest and the highest interval of the share achieved; None where the two overlap."""
    highs = [(one.achieved_high, at) for at, one in enumerate(found.themes) if one.achieved_high is not None]
    lows = [(one.achieved_low, at) for at, one in enumerate(found.themes) if one.achieved_low is not None]
    if not highs or not lows:
        return None
    (high, worst), (low, best) = min(highs), max(lows)
    return (found.themes[worst], found.themes[best]) if high < low else None


def _achieved(row: Mapping[str, Any]) -> str:
    if row["achieved"] is None:
        return "n/a"
    if row["achieved_low"] is None:
        return percent(row["achieved"])
    return f"{percent(row['achieved'])} ({percent(row['achieved_low'])} to {percent(row['achieved_high'])})"


def _trend(row: Mapping[str, Any]) -> str:
    if row["early_share"] is None or row["recent_share"] is None:
        return ""
    return points(row["recent_share"] - row["early_share"])
