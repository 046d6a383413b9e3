"""The section on the customers' voice: what they talk about, and what becomes of those who do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truenorth.figures.wording import count, percent, points, shorten
from truenorth.insight.replayed import Replayed
from truenorth.insight.voice import MAX_TEXTS, Voice, voice
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import NAME_CHARS, Shown, count_column, name_column, percent_column, shown


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
        finding=_finding(found),
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


def _finding(found: Voice) -> str:
    if not found.themes:
        return f"Customers' words tell nothing here: {found.missing or 'no theme stands out'}."
    first = found.themes[0]
    rated = [one for one in found.themes if one.achieved_high is not None and one.achieved is not None]
    worst = min(rated, key=lambda one: one.achieved_high or 0.0, default=None)
    told = f"Customers talk most about {first.name} ({percent(first.share)} of {count(found.n_texts)} texts)."
    if worst is None or worst.achieved is None:
        return told
    return f"{told} Who talks about {worst.name} gets the outcome least: {percent(worst.achieved)}."


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
