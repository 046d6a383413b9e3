"""Where insights are made: in a process of its own, so that those who send events wait for none of them; or here.

Python runs one thread at a time in a process, and an insight is minutes of it. The two processes speak through a pipe:
a question to the child; from the child how far it is, then what was found or why nothing can be.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import structlog

from truenorth.server.insight_question import Question, inputs_of
from truenorth.server.judged_logs import LOOK_S, UNASKED_S, Held, JudgedLogs, Mark
from truenorth.server.receiving import Turned
from truenorth.spec.instants import instant_at
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.opening import Store

if TYPE_CHECKING:
    from truenorth.report.section import Section

Tell = Callable[[str, float], None]
"""Hears what is done now and the share of that in [0, 1]; may raise to stop it."""
Work = Callable[[Connection], None]
"""What the child does with its end of the pipe; it must be found by its name in a module."""

NICENESS = 5
"""Whoever sends events goes before whoever asks for insights."""
STAGE_S = 0.2
"""The shortest time between two words on how far it is."""
LOG = structlog.get_logger("truenorth.insight")


class Made(NamedTuple):
    """What was found: from which state of the store, the section, and all of it as plain values."""

    mark: Mark
    section: Section
    document: dict[str, Any]


class Maker(Protocol):
    """Makes one insight at a time."""

    def make(self, question: Question, mark: Mark, tell: Tell) -> Made:
        """The answer, from a log judged at ``mark`` or later."""

    def close(self) -> None:
        """Make nothing more."""


class MakerHere:
    """Makes insights in the thread that asks."""

    def __init__(self, judged: JudgedLogs, age_seconds: float, elapsed_s: Callable[[], float]) -> None:
        """``age_seconds``: how old a judged log may be while events go on coming."""
        self._judged, self._age_seconds, self._elapsed_s = judged, age_seconds, elapsed_s

    def make(self, question: Question, mark: Mark, tell: Tell) -> Made:
        """See `Maker`; `TruenorthError` with what the question does not fit in the log."""
        from truenorth.insight.slices import opened_between  # noqa: PLC0415  (Plotly: not for whoever runs no service)
        from truenorth.report.document import document  # noqa: PLC0415
        from truenorth.report.subjects import subject  # noqa: PLC0415

        def is_fresh(held: Held) -> bool:
            is_young = self._elapsed_s() - held.at_s < self._age_seconds
            return held.mark == mark or (held.mark.may_stand_for(mark) and is_young)

        held = self._judged.whenever(question.journey, mark, is_fresh, tell)
        part = opened_between(held.replay, _instant(question.since_us), _instant(question.until_us))
        asked = subject(question.subject)
        tell(f"finding out: {asked.title}", 0.0)
        section = asked.make(part, inputs_of(question))
        return Made(held.mark, section, document(asked, section, part))

    def close(self) -> None:
        """Nothing is running."""


class MakerBeside:
    """Makes insights in a child, which is started with the first question and ended where one takes too long."""

    def __init__(self, work: Work, most_seconds: float) -> None:
        """``work`` runs `answer_questions`."""
        self._work, self._most_seconds = work, most_seconds
        self._child: SpawnProcess | None = None
        self._link: Connection | None = None

    def make(self, question: Question, mark: Mark, tell: Tell) -> Made:
        """See `Maker`; turned away where it takes too long or the child dies of it."""
        try:
            found: Made = self._heard(self._asked(question, mark), tell)
        except TruenorthError:
            raise
        except BaseException:
            self.close()  # whatever it is at must not answer the next question
            raise
        return found

    def close(self) -> None:
        """End the child, whatever it is at."""
        if self._child is not None and self._link is not None:
            self._child.kill()
            self._child.join()
            self._link.close()
        self._child = self._link = None

    def _asked(self, question: Question, mark: Mark) -> Connection:
        """The pipe to a child that has the question."""
        if self._child is not None and not self._child.is_alive():
            self.close()
        if self._link is not None:
            try:
                self._link.send((question, mark))
            except OSError:  # it has just ended, for nobody had asked
                self.close()
            else:
                return self._link
        context = multiprocessing.get_context("spawn")
        self._link, end = context.Pipe()
        self._child = context.Process(target=self._work, args=(end,), name="truenorth-insight", daemon=True)
        self._child.start()
        end.close()
        self._link.send((question, mark))
        return self._link

    def _heard(self, link: Connection, tell: Tell) -> Made:
        until_s, stage = monotonic() + self._most_seconds, ("starting", 0.0)
        while monotonic() < until_s:
            tell(*stage)
            if link.poll(LOOK_S):
                try:
                    kind, said = link.recv()
                except (EOFError, OSError):
                    raise Turned(
                        503, "died", "the process that made it has ended; there may be too little room"
                    ) from None
                if kind == "made":
                    return Made(*said)
                if kind == "problems":
                    raise TruenorthError(said)
                if kind == "failed":
                    raise RuntimeError(said)
                stage = said
        message = f"it took longer than {self._most_seconds:g} s; ask about fewer cases, or use 'truenorth insight'"
        raise Turned(503, "too_slow", message)


def answer_questions(link: Connection, store: Store, age_seconds: float) -> None:
    """In the child: answer what comes through the pipe, until it is closed or nobody has asked for a while."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    os.nice(NICENESS)
    judged = JudgedLogs(store, monotonic)
    maker = MakerHere(judged, age_seconds, monotonic)
    try:
        while link.poll(UNASKED_S):
            question, mark = link.recv()
            link.send(_answer(maker, question, mark, link))
    except (EOFError, OSError):
        return  # the parent has gone
    finally:
        judged.close()


def _answer(maker: Maker, question: Question, mark: Mark, link: Connection) -> tuple[str, Any]:
    told_s = 0.0

    def tell(stage: str, share: float) -> None:
        nonlocal told_s
        if monotonic() - told_s > STAGE_S or share == 0.0:
            told_s = monotonic()
            link.send(("stage", (stage, share)))

    try:
        return "made", tuple(maker.make(question, mark, tell))
    except TruenorthError as error:
        problems: tuple[Problem, ...] = error.problems
        return "problems", problems
    except OSError:
        raise
    except Exception as error:
        LOG.exception("an insight failed", subject=question.subject, journey=question.journey)
        return "failed", f"{type(error).__name__}: {error}"


def _instant(us: int | None) -> datetime | None:
    return None if us is None else instant_at(us)
