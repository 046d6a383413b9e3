"""Journeys: what customers need, what counts as success, what they were promised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel

from truenorth.server.api.context import Instant, Name, Problem, Served, Text, instant, showing
from truenorth.server.auth import Analyst, Viewer
from truenorth.server.published import parsed
from truenorth.server.receiving import Turned
from truenorth.spec.lint import check_journey
from truenorth.spec.load import Loaded
from truenorth.spec.problems import InvalidJourney
from truenorth.spec.problems import Problem as Found
from truenorth.store.rows import JourneyState, JourneyText

ROUTER = APIRouter(tags=["journeys"])
VERSION = {"name": "support", "version": 2, "published": "2026-01-05T09:30:00.000000Z", "state": "live"}
TEXT = "truenorth: 1\njourney: support\noutcome:\n  achieved: type = 'Fixed'\n"


class JourneyNamed(BaseModel):
    """A journey that is live; ``title``: what people call it, its name where the file does not say."""

    model_config = showing(
        {"title": "Getting help", **{name: VERSION[name] for name in ("name", "version", "published")}}
    )
    name: str
    title: str
    version: int
    published: Instant


class JourneyVersion(BaseModel):
    """One published version. ``state``: a live version judges; one that was replaced is retired."""

    model_config = showing(VERSION)
    name: str
    version: int
    published: Instant
    state: JourneyState


class JourneyWhole(JourneyVersion):
    """A journey with its text and all versions, newest first; the text is that of the newest."""

    model_config = showing({**VERSION, "text": TEXT, "versions": [VERSION]})
    text: str
    versions: list[JourneyVersion]


class Published(JourneyVersion):
    """A version that was published, and what is doubtful about it."""

    model_config = showing({**VERSION, "warnings": []})
    warnings: list[Problem]


@ROUTER.get("/journeys")
def list_journeys(served: Served, caller: Viewer) -> list[JourneyNamed]:
    """The live journeys by name. Role: viewer."""
    return [
        JourneyNamed(**version_of(found), title=parsed(found.text).title or found.name)
        for found in served.store.journeys.live()
    ]


@ROUTER.get("/journeys/{name}")
def read_journey(served: Served, caller: Viewer, name: Text) -> JourneyWhole:
    """A journey's text and versions. Role: viewer."""
    versions = served.store.journeys.versions(name)
    if not versions:
        raise Turned(404, "unknown_journey", "there is no journey of this name; see /api/v1/journeys")
    newest = versions[-1]
    shown = [JourneyVersion(**version_of(found)) for found in reversed(versions)]
    return JourneyWhole(**version_of(newest), text=newest.text, versions=shown)


@ROUTER.put("/journeys/{name}")
def publish_journey(
    served: Served,
    caller: Analyst,
    name: Name,
    text: Annotated[str, Body(media_type="application/yaml", examples=[TEXT])],
) -> Published:
    """Publish a journey file: the body is its YAML text. Role: analyst.

    The newest version as it is if its text is the same. Where the file has errors nothing is published, and the answer
    is 422 with all of them. The journey is judged anew from the log.
    """
    loaded = checked_text(served, name, text)
    published = served.store.journeys.publish(name, text, now_us=served.now_us())
    served.note(caller, f"published version {published.version} of a journey", name)
    return Published(**version_of(published), warnings=[problem_shown(one) for one in loaded.warnings])


def checked_text(served: Served, name: str, text: str) -> Loaded:
    """A journey file that can be published under a name; `InvalidJourney` with all its errors."""
    today = datetime.fromtimestamp(served.now_us() / 1e6, UTC).date()
    try:
        source = text.encode()
    except UnicodeEncodeError:
        raise InvalidJourney([Found(path="body", expected="UTF-8 text", found="half of a surrogate pair")]) from None
    loaded = check_journey(source, today=today)
    if loaded.errors or loaded.journey is None:
        raise InvalidJourney(loaded.errors)
    if loaded.journey.name != name:
        hint = "publish it under its own name"
        found = Found(path="$.journey", expected=f"'{name}', as in the address", found=loaded.journey.name, hint=hint)
        raise InvalidJourney([found])
    return loaded


def problem_shown(problem: Found) -> Problem:
    """A problem as the API shows it."""
    return Problem(
        path=problem.path,
        line=problem.line,
        expected=problem.expected,
        found=problem.found,
        hint=problem.hint,
        severity=problem.severity,
    )


def version_of(found: JourneyText) -> dict[str, Any]:
    """The fields of a version, as the API shows them."""
    return {
        "name": found.name,
        "version": found.version,
        "state": found.state,
        "published": instant(found.published_us),
    }
