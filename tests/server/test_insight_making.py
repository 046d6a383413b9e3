"""Insights made in a process of their own: the same answers, and no harm from one that is too slow or dies."""

from __future__ import annotations

import os
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic, sleep

import pytest

from server.desk import desk_in
from truenorth.server.insight_making import Made, MakerBeside, MakerHere, Work, answer_questions
from truenorth.server.insight_question import Question
from truenorth.server.judged_logs import JudgedLogs, Mark, Stopped, mark_of
from truenorth.server.receiving import Turned
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.opening import open_store

FEEL = Question(subject="feel", journey="support")
SOME = Mark(1, 0, 0, None)
PROBLEM = Problem(path="of", expected="a field of the log", found="'nothing'", hint="leave it out")


def from_store(url: str, link: Connection) -> None:
    with open_store(url) as store:
        answer_questions(link, store, 300.0)


def never(link: Connection) -> None:
    link.recv()
    sleep(60)


def dies(link: Connection) -> None:
    link.recv()
    os._exit(9)


def finds_problems(link: Connection) -> None:
    while True:
        link.recv()
        link.send(("stage", ("reading events", 0.5)))
        link.send(("problems", (PROBLEM,)))


def answers_once(link: Connection) -> None:
    link.recv()
    link.send(("made", (SOME, None, {"process": os.getpid()})))


def nobody_listens(_stage: str, _share: float) -> None:
    pass


def made_by(work: Work, most_seconds: float = 30.0) -> Made:
    maker = MakerBeside(work, most_seconds)
    try:
        return maker.make(FEEL, SOME, nobody_listens)
    finally:
        maker.close()


def test_a_process_answers_as_a_thread_does(tmp_path: Path) -> None:
    """Twice, the second time from the log that it holds; also what a question does not fit in the log."""
    stages: list[str] = []
    with desk_in(tmp_path) as desk:
        store = desk.store
        url = f"sqlite:///{tmp_path}/truenorth.db"
        mark = mark_of(store, "support", 1)
        judged = JudgedLogs(store, monotonic)
        here, beside = MakerHere(judged, 300.0, monotonic), MakerBeside(partial(from_store, url), 60.0)
        try:
            wanted = here.make(FEEL, mark, nobody_listens)
            for _ in range(2):
                found = beside.make(FEEL, mark, lambda stage, _: stages.append(stage))
                assert list(found.document) == list(wanted.document)
                assert found.section.finding == wanted.section.finding
                assert (found.mark, found.section.tables) == (wanted.mark, wanted.section.tables)
            odd = Question(subject="concentration", journey="support", of="no_such_field")
            with pytest.raises(TruenorthError) as one:
                here.make(odd, mark, nobody_listens)
            with pytest.raises(TruenorthError) as other:
                beside.make(odd, mark, nobody_listens)
            assert one.value.problems == other.value.problems
        finally:
            beside.close()
            judged.close()
    assert "starting" in stages
    assert any(stage.startswith("finding out") for stage in stages)


def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(Turned, match="longer than") as told:
        made_by(never, 0.5)
    assert (told.value.status, told.value.code) == (503, "too_slow")


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(Turned) as told:
        made_by(dies)
    assert (told.value.status, told.value.code) == (503, "died")


def test_problems_come_through_and_the_process_goes_on() -> None:
    maker, heard = MakerBeside(finds_problems, 30.0), []
    try:
        for _ in range(2):
            with pytest.raises(TruenorthError) as told:
                maker.make(FEEL, SOME, lambda stage, share: heard.append((stage, share)))
            assert told.value.problems == (PROBLEM,)
    finally:
        maker.close()
    assert ("reading events", 0.5) in heard


def test_another_process_answers_where_one_has_ended() -> None:
    maker = MakerBeside(answers_once, 30.0)
    try:
        first = maker.make(FEEL, SOME, nobody_listens)
        assert maker._child is not None
        maker._child.join(10)
        assert maker.make(FEEL, SOME, nobody_listens).document != first.document
    finally:
        maker.close()


def test_the_end_of_the_service_ends_the_process() -> None:
    maker = MakerBeside(never, 60.0)

    def ends(_stage: str, _share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        maker.make(FEEL, SOME, ends)
    assert maker._child is None
