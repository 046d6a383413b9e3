"""Journeys on their way: checked, tried on what has happened, drafted from a log, compared, and taken back."""

from __future__ import annotations

import difflib
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Query
from pydantic import BaseModel

from truenorth.server.api.context import Context, Instant, Problem, Served, Text, showing
from truenorth.server.api.journeys import (
    TEXT,
    VERSION,
    JourneyVersion,
    checked_text,
    problem_shown,
    version_of,
)
from truenorth.server.auth import Analyst, Viewer
from truenorth.server.published import parsed
from truenorth.server.receiving import Turned
from truenorth.spec.lint import check_journey
from truenorth.spec.problems import InvalidJourney, TruenorthError
from truenorth.store.rows import JourneyText

ROUTER = APIRouter(tags=["journeys"])
MOST_EVENTS = 1_000_000
"""Largest log on which a draft is tried here."""
MOST_DAYS = 366
MOST_LOG_BYTES = 20_000_000
"""Largest log from which a journey is drafted here; a request of the API holds less (`Bounds.body_bytes`)."""
BUSY_S = 5
CASE = {"case": "T0020", "before": "failed", "after": "achieved"}
COUNTS = {"before": {"achieved": 60, "failed": 22}, "after": {"achieved": 71, "failed": 11}}
_TRYING = Lock()
"""One draft is tried at a time."""


class Checked(BaseModel):
    """What is wrong or doubtful about a text; ``name`` is that of its journey where it can be read."""

    model_config = showing({"name": "support", "problems": []})
    name: str | None
    problems: list[Problem]


class Change(BaseModel):
    """Numbers by verdict: by the live version, and by the draft."""

    model_config = showing(COUNTS)
    before: dict[str, int]
    after: dict[str, int]


class CaseDiffers(BaseModel):
    """A case with another outcome; null where it is no case."""

    model_config = showing(CASE)
    case: str
    before: str | None
    after: str | None


class TrialShown(BaseModel):
    """A draft tried on cases that opened from an instant on; ``cases`` names the first of those that ``differ``."""

    model_config = showing(
        {
            "journey": "support",
            "opened_from": "2025-12-06T09:30:00.000000Z",
            "cases": {"before": 82, "after": 82},
            "outcome": COUNTS,
            "promises": {"taken_up": COUNTS},
            "differ": 11,
            "examples": [CASE],
        }
    )
    journey: str
    opened_from: Instant
    cases: dict[str, int]
    outcome: Change
    promises: dict[str, Change]
    differ: int
    examples: list[CaseDiffers]


class VersionWhole(JourneyVersion):
    """A version with its text."""

    model_config = showing({**VERSION, "text": TEXT})
    text: str


class Difference(BaseModel):
    """Two versions, line by line: a line begins with ``-`` (gone), ``+`` (new), a space, or ``@@`` (a place)."""

    model_config = showing({"name": "support", "of": 1, "to": 2, "lines": ["@@ -1 +1 @@", "-title: A", "+title: B"]})
    name: str
    of: int
    to: int
    lines: list[str]


class Drafted(BaseModel):
    """A journey file drafted from a log, the evidence for each line as comments."""

    model_config = showing({"text": TEXT})
    text: str


DraftText = Annotated[str, Body(media_type="application/yaml", examples=[TEXT])]


@ROUTER.post("/drafts/check")
def check_draft(served: Served, caller: Viewer, text: DraftText) -> Checked:
    """Everything that is wrong or doubtful about a journey file, also with the newest events. Role: viewer.

    Nothing is published.
    """
    try:
        loaded = check_journey(text.encode(), today=today(served))
    except UnicodeEncodeError:
        raise Turned(422, "invalid", "expected UTF-8 text, found half of a surrogate pair") from None
    if loaded.journey is not None and (columns := served.newest.columns(loaded.journey)):
        nowhere = served.newest.nowhere()
        loaded = check_journey(text.encode(), today=today(served), columns=columns, nowhere=nowhere)
    name = loaded.journey.name if loaded.journey else None
    return Checked(name=name, problems=[problem_shown(one) for one in loaded.problems])


@ROUTER.post("/drafts/trial")
def try_draft(
    served: Served,
    caller: Analyst,
    text: DraftText,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="cases that opened in so many last days")] = 30,
) -> TrialShown:
    """What a draft would have changed: cases that opened lately, judged by it and by the live version. Role: analyst.

    Nothing is published and nothing is told. A log of more than a million events is turned away.
    """
    from truenorth.server.foreseeing.teaching import judged_by_all  # noqa: PLC0415  (heavy)
    from truenorth.server.trial import compared  # noqa: PLC0415

    loaded = check_journey(text.encode(), today=today(served))
    if loaded.errors or loaded.journey is None:
        raise InvalidJourney(loaded.errors)
    if served.store.events.last_position() > MOST_EVENTS:
        message = f"the log has more than {MOST_EVENTS:,} events; export it and compare with 'truenorth replay'"
        raise Turned(409, "too_many_events", message)
    now_us, journey = served.now_us(), loaded.journey
    live = served.store.journeys.newest_live(journey.name)
    since = datetime.fromtimestamp(now_us / 1e6, UTC) - timedelta(days=days)
    if not _TRYING.acquire(blocking=False):
        raise Turned(429, "busy", "another draft is being tried; ask again", BUSY_S)
    try:
        until_us = _until_us(served, journey.name)
        both = [parsed(live.text), journey] if live else [journey]
        *before, after = judged_by_all(served.store, both, lambda *_: None, until_us=until_us)
        found = compared(before[0].replay if before else None, after.replay, since)
    finally:
        _TRYING.release()
    return TrialShown(
        journey=journey.name,
        opened_from=since.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        cases=dict(zip(("before", "after"), found.n_cases, strict=True)),
        outcome=_change(found.outcome),
        promises={name: _change(pair) for name, pair in found.promises.items()},
        differ=found.n_differ,
        examples=[CaseDiffers(case=one.case, before=one.before, after=one.after) for one in found.cases],
    )


@ROUTER.post("/drafts/discover")
def discover_draft(
    served: Served,
    caller: Analyst,
    log: Annotated[bytes, Body(media_type="application/octet-stream", examples=["case,type,time\n"])],
    file: Annotated[Text, Query(pattern=r"^[^/\\]{1,100}$", description="its name, whose ending is its format")],
) -> Drafted:
    """Draft a journey file from a log, with the evidence for each line. Role: analyst; the log is not kept."""
    from truenorth.discovery import discover  # noqa: PLC0415  (heavy)

    if len(log) > MOST_LOG_BYTES:
        raise Turned(413, "too_large", f"expected a log of at most {MOST_LOG_BYTES // 1_000_000} MB; send a part of it")
    with tempfile.TemporaryDirectory(prefix="truenorth-log-") as folder:
        path = Path(folder, Path(file).name)
        path.write_bytes(log)
        try:
            text = discover(path)
        except TruenorthError as error:  # the folder is nobody's business
            problems = [msgspec.structs.replace(one, path=one.path.replace(str(path), file)) for one in error.problems]
            raise TruenorthError(problems) from None
    served.note(caller, "drafted a journey from a log")
    return Drafted(text=text)


@ROUTER.get("/journeys/{name}/versions/{version}")
def read_version(served: Served, caller: Viewer, name: Text, version: int) -> VersionWhole:
    """The text of one version. Role: viewer."""
    found = _version(served, name, version)
    return VersionWhole(**version_of(found), text=found.text)


@ROUTER.get("/journeys/{name}/difference")
def compare_versions(
    served: Served,
    caller: Viewer,
    name: Text,
    of: Annotated[int, Query(ge=1, description="the version from which")],
    to: Annotated[int, Query(ge=1, description="the version to which")],
) -> Difference:
    """What differs between two versions, line by line. Role: viewer."""
    before, after = _version(served, name, of), _version(served, name, to)
    return Difference(name=name, of=of, to=to, lines=lines_that_differ(before.text, after.text))


@ROUTER.post("/journeys/{name}/versions/{version}/publish")
def publish_again(served: Served, caller: Analyst, name: Text, version: int) -> JourneyVersion:
    """Publish the text of an older version once more, as the newest version. Role: analyst."""
    text = _version(served, name, version).text
    checked_text(served, name, text)
    published = served.store.journeys.publish(name, text, now_us=served.now_us())
    served.note(caller, f"went back to version {version} of a journey, as version {published.version}", name)
    return JourneyVersion(**version_of(published))


def lines_that_differ(before: str, after: str) -> list[str]:
    """A unified difference without its head.

    >>> lines_that_differ("a\\nb\\n", "a\\nc\\n")
    ['@@ -1,2 +1,2 @@', ' a', '-b', '+c']
    """
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    return [line for number, line in enumerate(found) if number > 1]


def today(served: Context) -> date:
    """The day by which reviews are old."""
    return datetime.fromtimestamp(served.now_us() / 1e6, UTC).date()


def _until_us(served: Context, name: str) -> int:
    """Up to where the live version was judged; up to now where there is none."""
    watermark_us = served.store.results.progress(name).watermark_us
    return served.now_us() if watermark_us is None else watermark_us


def _version(served: Context, name: str, version: int) -> JourneyText:
    found = next((one for one in served.store.journeys.versions(name) if one.version == version), None)
    if found is None:
        raise Turned(404, "unknown_version", "there is no such version of this journey; see /api/v1/journeys/NAME")
    return found


def _change(pair: tuple[object, object]) -> Change:
    return Change.model_validate({"before": pair[0], "after": pair[1]})
