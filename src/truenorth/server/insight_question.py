"""What the service is asked about insight, and what that means for the subject that answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from truenorth.insight.concentration import Measure
from truenorth.server.receiving import Turned
from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from truenorth.report.section import Inputs

NOT_INSTALLED = "the extra 'learn' is not installed where the service runs: pip install 'truenorth[learn]'"
ALWAYS = {"journey", "opened_from", "opened_to", "wait", "format"}
"""What may be asked of every subject."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A subject of a journey, of cases that opened in ``[since_us, until_us)``, with its options.

    ``file``: the text of a YAML file of KPIs, initiatives or names of themes. The other options are those of
    `truenorth.insight.options.OPTIONS`.
    """

    subject: str
    journey: str
    since_us: int | None = None
    until_us: int | None = None
    as_of: date | None = None
    seed: int = 0
    exclude: tuple[str, ...] = ()
    of: str | None = None
    measure: Measure = "cases"
    top: int = 5
    answer: tuple[str, ...] = ()
    file: str = ""


def check_options(question: Question, given: Collection[str]) -> None:
    """Turn away what is no subject, cannot be answered here, or was ``given`` an option that it does not look at."""
    from truenorth.report.section import Inputs  # noqa: PLC0415  (Plotly)
    from truenorth.report.subjects import SUBJECTS, is_installed  # noqa: PLC0415

    subject = next((one for one in SUBJECTS if one.name == question.subject), None)
    if subject is None:
        raise Turned(404, "unknown_subject", "there is no subject of this name; see /api/v1/insight")
    if not is_installed(subject):
        raise Turned(409, "not_installed", NOT_INSTALLED)
    if not question.file and not subject.can(Inputs()):
        raise Turned(422, "no_file", f"expected {subject.needs}")
    names = [*sorted(set(given) - ALWAYS), *(["file"] if question.file else [])]
    may = ", ".join(subject.options) or "none"
    problems = [
        Problem(path=name, expected=f"an option of '{subject.name}': {may}", found=name, hint="leave it out")
        for name in names
        if name not in subject.options
    ]
    if problems:
        raise TruenorthError(problems)


def inputs_of(question: Question) -> Inputs:
    """What the subject gets; `TruenorthError` with all problems of a file or an answer."""
    from truenorth.insight.initiative_file import parse_initiatives  # noqa: PLC0415  (only where somebody asks)
    from truenorth.insight.kpi_file import parse_kpis  # noqa: PLC0415
    from truenorth.insight.maturity import read_answers  # noqa: PLC0415
    from truenorth.insight.theme_names import parse_theme_names  # noqa: PLC0415
    from truenorth.report.section import Inputs  # noqa: PLC0415

    subject, file = question.subject, question.file
    return Inputs(
        as_of=question.as_of,
        seed=question.seed,
        exclude=question.exclude,
        of=((question.of, question.measure),) if question.of else (),
        k=question.top,
        told=read_answers(question.answer, "answer"),
        kpis=parse_kpis(file) if subject == "kpis" else (),
        initiatives=parse_initiatives(file) if subject == "initiatives" and file else (),
        theme_names=parse_theme_names(file, "body") if subject == "voice" and file else {},
    )
