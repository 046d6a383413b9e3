"""Insights: what makes customers succeed or fail and what it costs, from all events of a journey."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from truenorth.insight.concentration import Measure
from truenorth.insight.options import OPTIONS
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.api.period import bound_us
from truenorth.server.auth import Analyst, Caller, Viewer
from truenorth.server.insight_question import NOT_INSTALLED, Question, check_options, inputs_of
from truenorth.server.insights import Found, Making
from truenorth.server.receiving import json_answer
from truenorth.store.steering import SteeringKind

ROUTER = APIRouter(tags=["insight"])
STEERED: dict[str, SteeringKind] = {"kpis": "kpis", "initiatives": "initiatives"}
"""Subjects that look at a file that is kept with the journey."""
RETRY_SECONDS = 2
"""When to ask again for an answer that is being made."""
MOST_SEED = 2**31 - 1
MOST_NAMES = 100
MOST_TOP = 1_000
"""Largest seed, most columns or answers, most items together."""
SUBJECT = {
    "name": "gap",
    "title": "The gap",
    "about": "each statement of the canvas against the events, and which promises close the gap",
    "options": {"seed": "of what is sampled and split at random"},
    "needs": None,
    "why_not": None,
}
TABLE = {"caption": "Statements.", "headings": ["statement"], "numeric": [False], "rows": [["Online within 14 days"]]}
ANSWER = {
    "subject": "gap",
    "journey": "support",
    "version": 1,
    "from": None,
    "to": None,
    "made": "2026-01-05T09:30:00.000000Z",
    "seconds": 2.1,
    "currency": "EUR",
    "cases": 345,
    "events": 3369,
    "watermark": "2026-01-05T09:29:55Z",
    "finding": "1 of 2 statements are met.",
    "tables": {"gap": TABLE},
    "how": ["Cases are ripe when ..."],
}
PROGRESS = {
    "state": "being made",
    "subject": "gap",
    "journey": "support",
    "stage": "reading events",
    "share": 0.4,
    "ahead": 0,
}
FILE = "truenorth: 1\nkpis:\n- name: calls\n  owner: Service\n  formula: {count: type = 'Contact'}\n  better: lower\n"


class InsightSubject(BaseModel):
    """A subject. ``options``: what may be asked of it, in words; ``needs``: what has to be given for an answer;
    ``why_not``: why it cannot be answered here.
    """

    model_config = showing(SUBJECT)
    name: str
    title: str
    about: str
    options: dict[str, str]
    needs: str | None
    why_not: str | None


class InsightTable(BaseModel):
    """A table as people read it: cells are texts."""

    model_config = showing(TABLE)
    caption: str
    headings: list[str]
    numeric: list[bool]
    rows: list[list[str]]


class InsightAnswer(BaseModel):
    """A subject, answered; beside these fields those that `truenorth insight SUBJECT --json` prints.

    ``made``: when; events that came later are not in it. ``seconds``: how long it took.
    """

    model_config = {**showing(ANSWER), "extra": "allow"}
    subject: str
    journey: str
    version: int
    made: Instant
    seconds: float
    currency: str | None
    cases: int
    events: int
    watermark: str | None
    finding: str
    tables: dict[str, InsightTable]
    how: list[str]


class InsightProgress(BaseModel):
    """An answer that is being made: what is done now, the share of that, and how many questions come before."""

    model_config = showing(PROGRESS)
    state: Literal["being made"]
    subject: str
    journey: str
    stage: str
    share: float
    ahead: int


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": InsightAnswer,
        "content": {"text/csv": {"schema": {"type": "string"}, "example": "type,n\nCall,7\n"}},
    },
    202: {"model": InsightProgress, "description": "it is being made; ask again after `Retry-After` seconds"},
}


class InsightAsked(BaseModel):
    """What is asked of a subject: a journey, the cases that opened in ``[from, to)``, and the subject's options."""

    model_config = ConfigDict(extra="forbid")
    journey: Text = Field(examples=["support"])
    opened_from: datetime | None = Field(None, alias="from", description="cases that opened then or later")
    opened_to: datetime | None = Field(None, alias="to", description="cases that opened before then")
    as_of: date | None = Field(None, description=OPTIONS["as_of"])
    seed: int = Field(0, ge=0, le=MOST_SEED, description=OPTIONS["seed"])
    exclude: list[Text] = Field([], max_length=MOST_NAMES, description=OPTIONS["exclude"])
    of: Text | None = Field(None, description=OPTIONS["of"])
    measure: Measure = Field("cases", description=OPTIONS["measure"])
    top: int = Field(5, ge=1, le=MOST_TOP, description=OPTIONS["top"])
    answer: list[Text] = Field([], max_length=MOST_NAMES, description=OPTIONS["answer"])
    wait: float = Field(10.0, ge=0, description="seconds to wait for an answer that has to be made")
    format: Literal["json", "csv"] = Field("json", description="csv: the main table alone")

    def question(self, subject: str, file: str = "") -> Question:
        """The question, without how the answer shall look."""
        return Question(
            subject=subject,
            journey=self.journey,
            since_us=bound_us(self.opened_from),
            until_us=bound_us(self.opened_to),
            as_of=self.as_of,
            seed=self.seed,
            exclude=tuple(self.exclude),
            of=self.of,
            measure=self.measure,
            top=self.top,
            answer=tuple(self.answer),
            file=file,
        )


Asked = Annotated[InsightAsked, Query()]


@ROUTER.get("/insight")
def list_subjects(served: Served, caller: Viewer) -> list[InsightSubject]:
    """The subjects, what may be asked of each, and which cannot be answered here. Role: viewer."""
    from truenorth.report.subjects import ELSEWHERE, SUBJECTS, is_installed  # noqa: PLC0415  (Plotly)

    here = [
        InsightSubject(
            name=one.name,
            title=one.title,
            about=one.about,
            options={name: OPTIONS[name] for name in one.options},
            needs=one.needs or None,
            why_not=None if is_installed(one) else NOT_INSTALLED,
        )
        for one in SUBJECTS
    ]
    return here + [
        InsightSubject(name=name, title=name.capitalize(), about=why, options={}, needs=None, why_not=why)
        for name, why in ELSEWHERE.items()
    ]


@ROUTER.get("/insight/{subject}", responses=ANSWERS)
async def read_insight(served: Served, caller: Analyst, subject: Text, asked: Asked) -> Response:
    """A subject, answered from all events of a journey. Role: analyst; it is noted in the audit.

    KPIs and initiatives are those of the files that are kept (`/journeys/{name}/steering`).

    What is not known yet is made: 202 says how far it is. An answer is kept until events or the journey change it;
    while events go on coming, for some minutes.
    """
    return await _answered(served, caller, subject, asked, "")


@ROUTER.post("/insight/{subject}", responses=ANSWERS)
async def read_insight_of_file(
    served: Served,
    caller: Analyst,
    subject: Text,
    asked: Asked,
    file: Annotated[str, Body(media_type="application/yaml", examples=[FILE])],
) -> Response:
    """The same for a subject that is about a file: the body is its YAML text; it is not kept. Role: analyst."""
    return await _answered(served, caller, subject, asked, file)


def ask_insight(served: Served, caller: Analyst, subject: Text, asked: InsightAsked) -> Found | Making:
    """The same as a value, for pages: the answer, or how far it is. Nothing waits; what is answered is noted."""
    found = _ask(served, asked.question(subject, _kept(served, subject, asked)), asked.model_fields_set)
    if isinstance(found, Found):
        served.note(caller, "read an insight", f"{subject} of {asked.journey}")
    return found


def _kept(served: Context, subject: str, asked: InsightAsked) -> str:
    """The file that a subject looks at where none was sent."""
    kind = STEERED.get(subject)
    file = served.store.steering.find(asked.journey, kind) if kind else None
    return file.text if file else ""


async def _answered(served: Context, caller: Caller, subject: str, asked: InsightAsked, file: str) -> Response:
    question = asked.question(subject, file or await run_in_threadpool(_kept, served, subject, asked))
    found = await run_in_threadpool(_ask, served, question, asked.model_fields_set)
    if isinstance(found, Making):
        await _done(found.future, min(asked.wait, served.bounds.insight_wait_seconds))
        found = await run_in_threadpool(_ask, served, question, asked.model_fields_set)
    if isinstance(found, Making):
        said: dict[str, Any] = {"state": "being made", "subject": subject, "journey": asked.journey}
        said |= {"stage": found.stage, "share": found.share, "ahead": found.ahead}
        return json_answer(said, 202, {"Retry-After": str(RETRY_SECONDS)})
    await run_in_threadpool(served.note, caller, "read an insight", f"{subject} of {asked.journey}")
    return await run_in_threadpool(_shown, found, asked)


def _ask(served: Context, question: Question, given: set[str]) -> Found | Making:
    check_options(question, given)
    version = served.journey(question.journey).version
    inputs_of(question)  # every problem of a file is told to whoever sent it, at once
    return served.insights.ask(question, version)


async def _done(future: Future[Found], seconds: float) -> None:
    """Return when it is done, or after some time."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: Future[Found]) -> None:
        with suppress(RuntimeError):  # whoever asked is gone, and the loop with them
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(tell)
    with suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), seconds)


def _shown(found: Found, asked: InsightAsked) -> Response:
    from truenorth.report.document import csv_of  # noqa: PLC0415  (Plotly)

    if asked.format == "csv":
        name = f'attachment; filename="{found.subject.name}.csv"'
        headers = {"Content-Disposition": name}
        return Response(csv_of(found.section.answer.to_frame()), headers=headers, media_type="text/csv")
    head = {name: found.document[name] for name in ("subject", "journey")} | {
        "version": found.version,
        "made": instant(found.made_us),
        "seconds": round(found.seconds, 3),
    }
    tables = {name: msgspec.structs.asdict(table) for name, table in found.section.tables.items()}
    return json_answer(head | found.document | {"tables": tables})
